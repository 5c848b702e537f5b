"""Real programs of the lab (etcd, kube-apiserver, controllers) and what stands for kubelet, scheduler and CSI."""
