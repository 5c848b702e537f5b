"""What stands for kubelet and scheduler: pods as processes of this machine, their network, images and logs."""
