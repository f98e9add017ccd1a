import type { Rule } from "../finding";

export const networkDiffers: Rule = {
  kind: "network-differs",
  summary: "a network of the program is not in the swarm, or has another subnet",
  find: ({ seen: { planned, swarm } }) => {
    if (!planned || !swarm) return [];
    return planned.networks.flatMap(({ name, subnet }) => {
      const there = swarm.networks.find((network) => network.name === name);
      // A network whose addresses each host gives has none in the swarm.
      if (there && (there.subnets.length === 0 || there.subnets.includes(subnet))) return [];
      return [
        {
          severity: there ? ("warning" as const) : ("broken" as const),
          hosts: [],
          text: there
            ? `the network ${name} has the subnet ${there.subnets.join(", ")}, and planned is ${subnet}`
            : `the network ${name} is not in the swarm: somebody removed it`,
          fix: there
            ? 'see what "pulumi preview" says of it'
            : 'set membership.recheck to a new text and run "pulumi up": it makes the network again',
          ...(there ? {} : { drift: true as const }),
        },
      ];
    });
  },
};
