"""A kubeconfig's certificates and key as files that no disk ever holds.

lightkube writes what stands in a kubeconfig as data to a file in the temporary folder, for OpenSSL takes paths alone, and deletes
it when it is done: killed in between, a cluster administrator's private key stays there. Knows of kubeconfigs only those fields.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import msgspec
from lightkube.config.kubeconfig import SingleConfig


@contextmanager
def unwritten(config: SingleConfig) -> Iterator[SingleConfig]:
    """The same with paths in place of data, which can be read while the context is open. ValueError for what is no base64."""
    with ExitStack() as held:

        def path(data: str | None, written: str | None) -> str | None:
            """A path of this process to the data; `written` where there is none. They go with the last descriptor."""
            if not data:
                return written
            number = os.memfd_create("kubeconfig")
            file = held.enter_context(os.fdopen(number, "wb"))
            file.write(base64.b64decode(data))
            file.flush()
            return f"/proc/self/fd/{number}"

        cluster = msgspec.structs.replace(
            config.cluster,
            certificate_auth=path(config.cluster.certificate_auth_data, config.cluster.certificate_auth),
            certificate_auth_data=None,
        )
        user = config.user and msgspec.structs.replace(
            config.user,
            client_cert=path(config.user.client_cert_data, config.user.client_cert),
            client_cert_data=None,
            client_key=path(config.user.client_key_data, config.user.client_key),
            client_key_data=None,
        )
        yield config._replace(cluster=cluster, user=user)
