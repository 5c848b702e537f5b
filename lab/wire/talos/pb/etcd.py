"""Messages of Talos's etcd calls that talos_pb2 has not: made from their numbers, which are all that the wire knows."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass


def _message(name: str, **fields: tuple[int, int]) -> type[Message]:
    """A message of its own: field → (number, type), each there once or not at all."""
    file = FileDescriptorProto(name=f"blackstart/lab/talos/{name}.proto", package="blackstart.lab.talos.etcd", syntax="proto3")
    made = file.message_type.add(name=name)
    for field, (number, kind) in fields.items():
        made.field.add(name=field, number=number, type=kind, label=FieldDescriptorProto.LABEL_OPTIONAL)
    pool: Any = DescriptorPool()
    pool.Add(file)
    found: type[Message] = GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.{name}"))
    return found


RemoveMemberRequest = _message("RemoveMemberRequest", member_id=(1, FieldDescriptorProto.TYPE_UINT64))
