#!/usr/bin/env bash
# The same bootstrap the way houses do it today: one shell script, the same programs, loops that sleep. It knows no hold, checks nothing
# first, remembers nothing, and cannot be started twice: it is what a run of ours is measured against, not something to use.
#
#   bench/baseline.sh HOUSE NODES WORK
#
# HOUSE is the lab house's folder. NODES is a file of lines `name host vm_id address mac cores memory_mib system_gib data_gib role`
# (data_gib 0 for none). WORK is an empty folder for what is rendered. IMAGE_URL and IMAGE_SHA256 come from the environment.
set -euo pipefail
umask 077

house=$1 nodes=$2 work=$3
repo=$house/home-ops
ca=$house/pki/ca.crt
pause=${PAUSE:-5}
proxmox=$(jq -r '.proxmox.hosts | to_entries[0].value' "$house/endpoints.json")
token_id=$(jq -r .proxmox.token_id "$house/endpoints.json")
file=$(basename "$(dirname "$IMAGE_URL")")-$(basename "$IMAGE_URL")
export SOPS_AGE_KEY_FILE=$house/secrets/age.key TALOSCONFIG=$work/talos/talosconfig KUBECONFIG=$work/kubeconfig
export HELMFILE_UPGRADE_NOTICE_DISABLED=1 HELM_CACHE_HOME=$work/helm/cache HELM_CONFIG_HOME=$work/helm/config HELM_DATA_HOME=$work/helm/data

# The token goes through a file, never through argv.
printf 'Authorization: PVEAPIToken=%s=%s\n' "$token_id" "$(cat "$house/secrets/proxmox-token")" > "$work/header"

api() { # METHOD PATH [name=value ...]
  local method=$1 path=$2
  shift 2
  local fields=()
  for field in "$@"; do fields+=(--data-urlencode "$field"); done
  curl --silent --show-error --fail --cacert "$ca" --header "@$work/header" --request "$method" "${fields[@]}" "$proxmox/api2/json$path"
}

task() { # HOST: reads the answer with the UPID, waits until the task has ended
  local upid
  upid=$(jq -r .data)
  until [ "$(api GET "/nodes/$1/tasks/$upid/status" | jq -r .data.status)" = stopped ]; do sleep 2; done
  [ "$(api GET "/nodes/$1/tasks/$upid/status" | jq -r .data.exitstatus)" = OK ]
}

each() { # FUNCTION: once per node, one after another
  while read -r name host vm_id address mac cores memory system data role; do "$1"; done < "$nodes"
}

make_vm() {
  api POST "/nodes/$host/storage/local/download-url" content=import "filename=$file" "url=$IMAGE_URL" \
    checksum-algorithm=sha256 "checksum=$IMAGE_SHA256" | task "$host"
  local more=()
  if [ "$data" != 0 ]; then more=("scsi1=local-lvm:$data"); fi
  api POST "/nodes/$host/qemu" "vmid=$vm_id" "name=$name" ostype=l26 bios=ovmf machine=q35 \
    efidisk0=local-lvm:0,efitype=4m,pre-enrolled-keys=0 scsihw=virtio-scsi-single boot=order=scsi0 cpu=x86-64-v2-AES \
    "cores=$cores" "memory=$memory" balloon=0 "net0=virtio=$mac,bridge=vmbr0" agent=enabled=1 \
    "scsi0=local-lvm:0,import-from=local:import/$file" "${more[@]}" | task "$host"
  api PUT "/nodes/$host/qemu/$vm_id/resize" disk=scsi0 "size=${system}G" | task "$host"
  api POST "/nodes/$host/qemu/$vm_id/status/start" | task "$host"
}

configure() {
  until talosctl --nodes "$address" get disks --insecure > /dev/null 2>&1; do sleep "$pause"; done
  talosctl --nodes "$address" apply-config --insecure --file "$work/talos/$(jq -r .house "$house/endpoints.json")-$name.yaml"
}

api_answers() {
  if [ "$role" = control-plane ]; then
    until kubectl --server "https://$address:6443" get --raw /readyz > /dev/null 2>&1; do sleep "$pause"; done
  fi
}

each make_vm
(cd "$repo/talos" && talhelper genconfig --out-dir "$work/talos" --no-gitignore --offline-mode > /dev/null)
each configure

first=$(awk '$10 == "control-plane" { print $4; exit }' "$nodes")
until talosctl --nodes "$first" --endpoints "$first" bootstrap > /dev/null 2>&1; do sleep "$pause"; done
until talosctl --nodes "$first" --endpoints "$first" kubeconfig "$KUBECONFIG" --force --merge=false > /dev/null 2>&1; do sleep "$pause"; done
each api_answers
until kubectl get nodes --no-headers 2> /dev/null | [ "$(wc -l)" = "$(wc -l < "$nodes")" ]; do sleep "$pause"; done

for namespace in flux-system kube-system selfhosted volsync-system; do
  kubectl create namespace "$namespace" --dry-run=client --output yaml | kubectl apply --server-side --filename - > /dev/null
done
kubectl --namespace flux-system create secret generic sops-age --from-file=age.agekey="$house/secrets/age.key" > /dev/null
helmfile --quiet --file "$repo/bootstrap/helmfile.d/00-crds.yaml" template --include-crds --no-hooks |
  awk -v RS='\n---\n' '/(^|\n)kind: CustomResourceDefinition/ { print "---"; print }' | kubectl apply --server-side --filename - > /dev/null
helmfile --quiet --file "$repo/bootstrap/helmfile.d/01-apps.yaml" sync > /dev/null
kubectl wait nodes --all --for=condition=Ready --timeout=10m > /dev/null
until kubectl get kustomizations --all-namespaces --no-headers 2> /dev/null | grep -q .; do sleep "$pause"; done
until kubectl wait kustomizations --all-namespaces --all --for=condition=Ready --timeout=10s > /dev/null 2>&1; do sleep "$pause"; done
