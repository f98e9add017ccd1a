import assert from "node:assert/strict";
import { keyOf, type Name } from "./cluster";
import type { FaultCase, Trial } from "./trial";

const folder = "/etc/pulumi-swarm";

/** A disk of its own for a folder, with as many kilobytes free on it. */
async function smallDisk(trial: Trial, name: Name, path: string, free: number): Promise<void> {
  const used = Number(await trial.on(name, `du -sk ${path} | cut -f1`));
  await trial.on(
    name,
    `mkdir -p /run/small && mount -t tmpfs -o size=${Math.ceil(used * 1.2) + 400}k,nr_inodes=0 small /run/small && cp -a ${path}/. /run/small/ && mount --move /run/small ${path}`,
  );
  trial.finally(() =>
    trial.on(
      name,
      `mountpoint -q ${path} || exit 0; rm -f ${path}/filler; mkdir -p /root/saved && cp -a ${path}/. /root/saved/ && umount ${path} && ` +
        `find ${path} -mindepth 1 -delete && cp -a /root/saved/. ${path}/ && rm -rf /root/saved`,
    ),
  );
  // All but what is to be free.
  await trial.on(name, `dd if=/dev/zero of=${path}/filler bs=1k count=$(($(df -Pk ${path} | awk 'NR == 2 { print $4 }') - ${free})) 2>/dev/null`);
}

/** Disks that are full, and what is found of files that were written on one. */
export const disk: readonly FaultCase[] = [
  {
    title: "no space left for our own files on a host",
    async play(trial) {
      const name = trial.victim();
      await smallDisk(trial, name, folder, 0);
      trial.cluster.edit({ rotation: trial.cluster.another("rotation"), port: trial.cluster.program.port === 8443 ? 8444 : 8443 });
      await trial.fails(new RegExp(`${keyOf(name)}: .*[Nn]o space left`));
      const empty = await trial.on(name, `find ${folder} -type f -empty ! -name '*.new' ! -name filler`);
      assert.equal(empty, "", "a file was emptied");
      await trial.undo();
      await trial.up();
    },
  },
  {
    title: "no space left while the cluster is first made",
    async play(trial) {
      const { cluster } = trial;
      const name = trial.victim();
      trial.everythingIsNew = true;
      const gone = await cluster.destroy();
      assert.equal(gone.code, 0, gone.stdout + gone.stderr);
      await trial.on(
        name,
        `mkdir -p ${folder} && mount -t tmpfs -o size=4k,nr_inodes=0 small ${folder} && dd if=/dev/zero of=${folder}/filler bs=4k count=1`,
      );
      await trial.fails(new RegExp(`${keyOf(name)}: .*[Nn]o space left`));
      await trial.on(
        name,
        `rm ${folder}/filler && mkdir /root/saved && cp -a ${folder}/. /root/saved/ && umount ${folder} && cp -a /root/saved/. ${folder}/`,
      );
      await trial.up();
    },
  },
  {
    title: "an owner file that a full disk left empty",
    async play(trial) {
      const name = trial.victim();
      const file = trial.choices.pick(["firewall", "tunnel"]);
      await trial.on(name, `: >${folder}/owner.${file}`);
      trial.cluster.lookAgain();
      await trial.fails(new RegExp(`${keyOf(name)}: its file ${folder}/owner\\.${file} is empty or cut off`));
      // As the message says.
      await trial.on(name, `rm ${folder}/owner.${file}`);
      await trial.recheck();
      assert.notEqual(await trial.on(name, `cat ${folder}/owner.${file}`), "");
    },
  },
  {
    title: "a file of ours that is half a file",
    async play(trial) {
      const name = trial.victim();
      await trial.on(name, `for file in ${folder}/firewall.nft ${folder}/wireguard/*.conf; do [ ! -f $file ] || truncate -s 20 $file; done`);
      await trial.recheck();
    },
  },
  {
    title: "a full /var/lib/docker",
    async play(trial) {
      const name = trial.worker();
      const stop =
        "systemctl stop docker.socket docker.service containerd.service 2>/dev/null; umount /var/lib/docker/overlay2/*/merged 2>/dev/null;";
      await trial.on(name, `${stop} true`);
      trial.finally(() => trial.on(name, "systemctl start docker.service"));
      await smallDisk(trial, name, "/var/lib/docker", 1_000);
      // Its engine may start or not; the disk is what is wrong.
      await trial.on(name, "systemctl start docker.service || true");
      trial.cluster.lookAgain();
      await trial.refusedOn(name, new RegExp(`${keyOf(name)}: .*only \\d+ MB are free for /var/lib/docker`));
      await trial.on(name, `${stop} true`);
      await trial.undo();
      await trial.recheck();
    },
  },
];
