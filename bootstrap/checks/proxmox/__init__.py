"""Whether hosts, storages and the VMs on them are fit for what is to be made."""
