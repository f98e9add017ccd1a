# The swarm and the network of bench/existing. kreuzwerker/docker manages networks and services, but creates no swarm. So most
# configurations init and join with "remote-exec", and take the join tokens over SSH; so does this one, with the built-in
# terraform_data in place of null_resource.
terraform {
  required_providers {
    docker = { source = "kreuzwerker/docker" }
  }
}

variable "hosts" {
  type = map(object({ address = string, role = string }))
}

variable "first" {
  type = string
}

variable "ssh" {
  type = object({ config = string, key = string, host_key = string })
}

locals {
  first   = var.hosts[var.first]
  members = { for name, host in var.hosts : name => host if name != var.first }
}

resource "terraform_data" "swarm" {
  input = { address = local.first.address, ssh = var.ssh }

  connection {
    host        = self.input.address
    private_key = file(self.input.ssh.key)
    host_key    = self.input.ssh.host_key
  }

  provisioner "remote-exec" {
    inline = ["docker swarm init --advertise-addr ${self.input.address} --listen-addr ${self.input.address}:2377 --data-path-addr ${self.input.address}"]
  }

  provisioner "local-exec" {
    command     = "umask 077; for role in manager worker; do ssh -F \"$config\" \"$first\" docker swarm join-token -q $role >$role.token; done"
    environment = { config = var.ssh.config, first = var.first }
  }

  provisioner "remote-exec" {
    when   = destroy
    inline = ["docker swarm leave --force"]
  }
}

resource "terraform_data" "member" {
  for_each   = local.members
  depends_on = [terraform_data.swarm]
  input      = { address = each.value.address, ssh = var.ssh }

  connection {
    host        = self.input.address
    private_key = file(self.input.ssh.key)
    host_key    = self.input.ssh.host_key
  }

  provisioner "file" {
    source      = "${each.value.role}.token"
    destination = "/root/join-token"
  }

  provisioner "remote-exec" {
    inline = [
      "docker swarm join --token \"$(cat /root/join-token)\" --advertise-addr ${self.input.address} --listen-addr ${self.input.address}:2377 --data-path-addr ${self.input.address} ${local.first.address}:2377",
      "rm /root/join-token",
    ]
  }

  provisioner "remote-exec" {
    when   = destroy
    inline = ["docker swarm leave --force"]
  }
}

provider "docker" {
  host     = "ssh://root@${var.first}"
  ssh_opts = ["-F", var.ssh.config]
}

resource "docker_network" "bench" {
  # At a destroy, it goes while the managers have their majority still.
  depends_on = [terraform_data.swarm, terraform_data.member]
  name       = "bench"
  driver     = "overlay"
  attachable = true

  # Without the gateway, the next apply would replace the network.
  ipam_config {
    subnet  = "10.98.77.0/24"
    gateway = "10.98.77.1"
  }
}
