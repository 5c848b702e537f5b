"""Blackstart's command line: areas and verbs. `invoke --list` shows them; what each does is in console/verbs/."""

from importlib import import_module

from invoke import Collection, Exit, task

HELP = import_module("console.parameters").HELP


# invoke knows no positional argument that may be left out: one is asked for only where a word stands in its place.
# These flags of the two verbs that have such a one take a word that is no argument; a flag of the argument itself does.
VALUED = ("--settings", "--as-of", "--report")


def words_after(name):
    """How many arguments of the verb of this name follow it on this command line, those given by their flags too."""
    typed = import_module("sys").argv
    words = typed[typed.index(name) + 1 :] if name in typed else []
    return sum(word[:1] != "-" and words[at - 1 : at] not in ([flag] for flag in VALUED) for at, word in enumerate(words))


CLAIMS = None if words_after("dr.hold") else ""
PATH = None if words_after("dr.list") > 1 else ""

ALL = "" if "--list" in import_module("sys").argv else None

# Of a list that nobody reads to the end (`invoke -l | head`) invoke makes a traceback. A verb goes on: console/views/outlet.py.
if {"-l", "--list", "-h", "--help"} & {*import_module("sys").argv}:
    import_module("signal").signal(import_module("signal").SIGPIPE, import_module("signal").SIG_DFL)


def verb(body):
    """A task whose parameters carry their help; those without a value are its words."""
    names = (name.strip("_").replace("_", "-") for name in body.__code__.co_varnames[1 : body.__code__.co_argcount])
    wanted = body.__code__.co_varnames[1 : body.__code__.co_argcount - len(body.__defaults__ or ())]
    given = body.__code__.co_varnames[1 + len(wanted) : body.__code__.co_argcount]
    asked = [*wanted, *(name for name, value in zip(given, body.__defaults__ or (), strict=True) if value is None)]
    return task(body, help={name: HELP[name] for name in names}, auto_shortflags=False, positional=asked)


def end(context, module, name, *arguments):
    """Run the verb, a function of that module in console/verbs/, and end with its exit code.

    invoke's own --dry is refused: it would report success for nothing.
    """
    if context.config.run.dry:
        raise Exit("--dry would call success what was never done. Plans are made by cluster.plan and dr.plan.", code=20)
    # invoke would have every module compiled anew by each verb, most of a second, unless it is started with --write-pyc.
    system = import_module("sys")
    system.dont_write_bytecode = bool(system.flags.dont_write_bytecode)
    signals = import_module("console.signals")
    signals.begin()
    try:
        code = begun(module, name)(*arguments)
    except KeyboardInterrupt:
        code = signals.interrupted(typed())
    signals.ended(code)
    raise Exit(code=code)


def typed():
    """The verb by the name that it was called by."""
    words = import_module("sys").argv
    return next((f"{area}.{name}" for area, verbs in AREAS.items() for name in verbs if f"{area}.{name}" in words), "this verb")


def begun(module, name):
    """The verb's body, with all that it imports."""
    loaded = import_module("engine.garbage").loaded
    return loaded(lambda: getattr(import_module(f"console.verbs.{module}"), name))


@verb
def preflight(c, settings="", json=False, report=""):
    """Check all that a run needs before it changes anything."""
    end(c, "cluster.bootstrap", "preflight", settings, json, report)


@verb
def plan(c, settings="", json=False, offline=False, runbook=""):
    """Show what cluster.bootstrap would do; changes nothing."""
    end(c, "cluster.bootstrap", "plan", settings, json, offline, runbook)


@verb
def bootstrap(c, settings="", json=False, approve="", report=""):
    """Build the cluster from bare hosts; resume one."""
    end(c, "cluster.bootstrap", "bootstrap", settings, json, approve, report)


@verb
def new_secrets(c, settings="", json=False, approve="", report=""):
    """Make lost Talos secrets anew, by approval."""
    end(c, "cluster.bootstrap", "new_secrets", settings, json, approve, report)


@verb
def replace_node(c, node, settings="", json=False, approve="", report=""):
    """Make one lost node anew, by approval; the rest lives."""
    end(c, "cluster.losses", "replace_node", settings, json, node, approve, report)


@verb
def save_etcd(c, settings="", json=False, report=""):
    """Save etcd here: a snapshot, or what disks still have."""
    end(c, "cluster.losses", "save_etcd", settings, json, report)


@verb
def recover_etcd(c, settings="", json=False, snapshot="", approve="", report=""):
    """Make etcd again from a snapshot, by approval."""
    end(c, "cluster.losses", "recover_etcd", settings, json, snapshot, approve, report)


@verb
def stop(c, settings="", json=False, approve="", report="", hosts=False):
    """Switch applications and nodes off, by approval."""
    end(c, "cluster.power", "stop", settings, json, approve, report, hosts)


@verb
def start(c, settings="", json=False, report="", hosts=False):
    """Switch a stopped house on, as it was before."""
    end(c, "cluster.power", "start", settings, json, report, hosts)


@verb
def verify(c, settings="", json=False, report="", gate=""):
    """Look whether the house is as the settings say."""
    end(c, "cluster.verify", "verify", settings, json, report, gate)


@verb
def storage(c, settings="", json=False, prove=False):
    """Tell how each storage system is, and what hangs on it."""
    end(c, "cluster.verify", "storage", settings, json, prove)


@verb
def inventory(c, settings="", json=False, write=False):
    """Tell what the house is made of; write it down for Git."""
    end(c, "cluster.inventory", "inventory", settings, json, write)


@verb
def lint(c, settings="", json=False, proxmox=False):
    """Tell what a rebuild needs that the cluster serves."""
    end(c, "cluster.lint", "lint_house", settings, json, proxmox)


@verb
def status(c, settings="", json=False):
    """Tell what the journal remembers; looks at nothing."""
    end(c, "cluster.bootstrap", "status", settings, json)


@verb
def audit(c, settings="", json=False, lock=False, depth="", read_budget=""):
    """Look at every declared backup; changes nothing."""
    end(c, "dr.audit", "audit", settings, json, lock, depth, read_budget)


@verb
def dr_plan(c, settings="", json=False, claims="", as_of=""):
    """Show what dr.restore would do; changes nothing."""
    end(c, "dr.restore", "plan", settings, json, claims, as_of)


@verb
def restore(c, settings="", json=False, claims="", as_of="", approve="", report=""):
    """Bring claims back from their backups, proven by file."""
    end(c, "dr.restore", "restore", settings, json, claims, as_of, approve, report)


@verb
def rehearse(
    c, settings="", json=False, claims="", max_bytes="", max_time="", max_egress="", clean=False, bootstrap=False, report="",
    from_kit="", identity="", secrets="",
):  # fmt: skip
    """Drill a restore beside what lives; can fail."""
    given = (claims, max_bytes, max_time, max_egress, clean, bootstrap, report, from_kit, identity, secrets)
    end(c, "dr.rehearse", "rehearse", settings, json, *given)


@verb
def hold(c, claims=CLAIMS, settings="", json=False, manifests=False, report=""):
    """Hold the named claims now; list what is held."""
    end(c, "dr.restore", "hold", settings, json, claims or "", manifests, report)


@verb
def release(c, claim, settings="", json=False, unproven=False, reason="", report=""):
    """Lift the hold of one claim or database by hand."""
    end(c, "dr.restore", "release", settings, json, claim, unproven, reason, report)


@verb
def undo(c, claim, settings="", json=False, let_go=False, approve="", report=""):
    """Bring back what a claim held before its restore."""
    end(c, "dr.undo", "undo", settings, json, claim, let_go, approve, report)


@verb
def survivors(c, settings="", json=False, claims="", report=""):
    """Look at volumes that outlived a lost cluster."""
    end(c, "dr.survivors", "survivors", settings, json, claims, report)


@verb
def checkpoint(c, settings="", json=False, depth="", approve="", report=""):
    """Save all of it at rest before a wipe, by approval."""
    end(c, "dr.checkpoint", "checkpoint", settings, json, depth, approve, report)


@verb
def unlock(c, claim, settings="", json=False, approve="", report=""):
    """Take dead locks out of a claim's backups, by approval."""
    end(c, "dr.unlock", "unlock", settings, json, claim, approve, report)


@verb
def undelete(c, claim, settings="", json=False, as_of="", approve="", report=""):
    """Bring a former state of a backup back, by approval."""
    end(c, "dr.undelete", "undelete", settings, json, claim, as_of, approve, report)


@verb
def report(c, settings="", json=False, run="", report="", check="", signer=""):
    """Write the evidence of a run that was, or check one."""
    end(c, "dr.evidence", "report", settings, json, run, report, check, signer)


@verb
def history(c, settings="", json=False):
    """List the runs of this house and what came of each."""
    end(c, "dr.evidence", "history", settings, json)


@verb
def dr_list(c, claim, path=PATH, settings="", json=False, as_of=""):
    """Tell what is where over the snapshots of one claim."""
    end(c, "dr.files", "list_path", settings, json, claim, path or "", as_of)


@verb
def fetch(c, claim, path, into="", settings="", json=False, as_of=""):
    """Write one file or folder of a backup out, compared."""
    end(c, "dr.files", "fetch_path", settings, json, claim, path, into, as_of)


@verb
def dr_status(c, settings="", json=False, metrics="", alerts=""):
    """Tell what was proven to come back, when, what is due."""
    end(c, "dr.status", "status", settings, json, metrics, alerts)


@verb
def kit(
    c, settings="", json=False, file="", recipients="", with_programs="", check="", open_="", into="", identity="", repository="",
    secrets="",
):  # fmt: skip
    """Write all a rebuild needs into one file; open it."""
    end(c, "dr.kit", "kit", settings, json, file, recipients, with_programs, check, identity, repository, secrets, open_, into)


@verb
def schedule(c, settings="", json=False, as_="", every="", folder="", check=False, what="", image=""):
    """Write what makes drills happen; say whether they do."""
    end(c, "dr.schedule", "schedule", settings, json, as_, every, folder, check, what, image)


@verb
def init(c, repo, settings="", json=False, ask_proxmox="", fingerprint="", from_inventory="", git_path=""):
    """Write a commented blackstart.yaml for a repository."""
    end(c, "config", "init", repo, settings, json, ask_proxmox, fingerprint, from_inventory, git_path)


@verb
def doctor(c, settings="", json=False, ask=False):
    """Tell which verbs work today and what others lack."""
    end(c, "doctor", "doctor", settings, json, ask)


@verb
def config_check(c, settings="", json=False):
    """Mark what is wrong in settings and house, by column."""
    end(c, "config", "check", settings, json)


@verb
def schema(c):
    """Print the JSON schema of blackstart.yaml."""
    end(c, "config", "schema")


@verb
def tools_check(c, settings="", json=False):
    """Tell which programs were found, and whether they fit."""
    end(c, "tools", "check", settings, json)


@verb
def tools_build(c, run=False, only=""):
    """Build the programs that are missing."""
    end(c, "tools", "build", run, only)


@verb
def up(c, house="four-nodes", scenario="empty", speed=10.0):
    """Start the simulated house, until its doors are open."""
    end(c, "lab", "up", house, scenario, speed)


@verb
def lab_status(c, house="four-nodes", json=False):
    """Tell what of the simulated house runs."""
    end(c, "lab", "status", house, json)


@verb
def down(c, house="four-nodes"):
    """Stop the simulated house; leaves nothing running."""
    end(c, "lab", "down", house)


@verb
def fault(c, at=ALL, fault=ALL, house="four-nodes", list=False, json=False):  # noqa: A002 - the name of the flag
    """Arm a fault in the simulated house; list them all."""
    end(c, "lab", "fault", house, at, fault, list, json)


@verb
def demo(c, modelled=False, part=""):
    """Play it all in the simulated house, losses and proof."""
    end(c, "lab", "demo", modelled, part)


AREAS = {
    "cluster": {
        "preflight": preflight, "plan": plan, "bootstrap": bootstrap, "new-secrets": new_secrets,
        "replace-node": replace_node, "save-etcd": save_etcd, "recover-etcd": recover_etcd, "stop": stop, "start": start,
        "verify": verify, "storage": storage, "inventory": inventory, "status": status, "lint": lint,
    },
    "dr": {
        "audit": audit, "plan": dr_plan, "restore": restore, "survivors": survivors, "undo": undo, "hold": hold, "release": release,
        "list": dr_list, "fetch": fetch, "unlock": unlock, "checkpoint": checkpoint, "undelete": undelete,
        "report": report, "history": history, "status": dr_status, "kit": kit, "rehearse": rehearse,
        "schedule": schedule,
    },
    "config": {"init": init, "doctor": doctor, "check": config_check, "schema": schema},
    "tools": {"check": tools_check, "build": tools_build},
    "lab": {"up": up, "status": lab_status, "down": down, "fault": fault, "demo": demo},
}

namespace = Collection()
for area, verbs in AREAS.items():
    collection = Collection(area)
    for name, body in verbs.items():
        collection.add_task(body, name=name)
    namespace.add_collection(collection)
