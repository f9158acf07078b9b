// What tests need of the machine, found out by trying it in a scratch namespace.
import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { toolDirectory } from './cni.ts';
import { run } from './command.ts';
import { containerProbe, dockerPath } from './docker-programs.ts';
import type { Family } from './network-configuration.ts';

const requirements = {
	'bridge-vlan-filtering': {
		lack: 'this kernel has no bridge VLAN filtering',
		attempt: 'ip link add probe type bridge && ip link set probe type bridge vlan_filtering 1',
	},
	'nftables-bridge': {
		lack: 'this kernel has no nf_tables for bridges',
		attempt: "nft 'add table bridge probe; add chain bridge probe c { type filter hook prerouting priority 0; }'",
	},
	shaping: {
		lack: 'this kernel lacks one of tbf, ifb, ingress, u32 and mirred',
		attempt:
			'ip link add probe type ifb && tc qdisc add dev probe root tbf rate 1mbit burst 10kb limit 10kb' +
			' && tc qdisc add dev lo ingress' +
			' && tc filter add dev lo parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev probe',
	},
	vxlan: {
		lack: 'this kernel has no VXLAN devices',
		attempt: 'ip link add probe type vxlan id 1024 dstport 64000',
	},
	ipv6: {
		lack: 'this kernel has no IPv6',
		attempt: 'ip link set lo up && ip -6 address add fd00::1/128 dev lo',
	},
	'iptables-nft': { lack: 'this machine has no iptables-nft', attempt: 'iptables-nft -t nat -S' },
	'iptables-legacy': { lack: 'this machine has no iptables-legacy', attempt: 'iptables-legacy -t nat -S' },
	tcpdump: { lack: 'this machine has no tcpdump', attempt: 'command -v tcpdump' },
	tmpfs: { lack: 'this machine lets nobody mount a tmpfs', attempt: 'mount -t tmpfs none /mnt' },
	'time-namespaces': {
		lack: 'this kernel has no time namespaces',
		attempt: 'unshare --fork --time --boottime 60 true',
	},
	jq: { lack: 'this machine has no jq', attempt: 'jq --version' },
	openssl: { lack: 'this machine has no openssl', attempt: 'openssl version' },
	strace: { lack: 'this machine has no strace, or does not let it trace', attempt: 'strace -qq -e trace=none true' },
	systemd: {
		lack: 'this machine has no systemd, or does not let it be booted in a container',
		attempt:
			'mount -t tmpfs none /mnt && cd /mnt && mkdir upper work root groups' +
			' && mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work none root && test -x root/lib/systemd/systemd' +
			' && mount -t cgroup2 none groups && rmdir "$(mktemp -d groups/mo-probe-XXXXXX)"',
	},
	dockerd: { lack: 'this machine has no dockerd', attempt: `PATH="$PATH:${dockerPath}" dockerd --version` },
	'docker-containers': { lack: 'this machine starts no containers of Docker', attempt: containerProbe },
	cnitool: { lack: 'this machine has no cnitool', attempt: `test -x '${toolDirectory}/cnitool'` },
	'reference-plugins': {
		lack: 'this machine has no reference plugins',
		attempt: `cd '${toolDirectory}' && test -x bridge -a -x host-local -a -x ptp -a -x static`,
	},
} as const;

export type Requirement = keyof typeof requirements;

const known = new Map<Requirement, boolean>();

/** Whether this machine has what is required. */
export function supports(requirement: Requirement): boolean {
	const found = known.get(requirement);
	if (found !== undefined) return found;
	const name = `mo-probe-${randomBytes(4).toString('hex')}`;
	run(['ip', 'netns', 'add', name]);
	const { status } = run(['ip', 'netns', 'exec', name, 'sh', '-c', requirements[requirement].attempt]);
	run(['ip', 'netns', 'del', name]);
	known.set(requirement, status === 0);
	return status === 0;
}

/** What a family needs. */
export function needsOf(family: Family): Requirement[] {
	return family === 'IPv4' ? [] : ['ipv6'];
}

/** Both families, where the kernel has them. */
export function widestFamily(): Family {
	return supports('ipv6') ? 'dual stack' : 'IPv4';
}

/** Declares a serial test that needs something of the machine; it is skipped, by name and reason, where that is missing. */
export function testOn(
	needs: Requirement | readonly Requirement[],
	title: string,
	body: (t: ExecutionContext) => void | Promise<void>,
): void {
	const lacking = (typeof needs === 'string' ? [needs] : needs).find((need) => !supports(need));
	if (lacking === undefined) test.serial(title, body);
	else test.skip(`${title} (skipped: ${requirements[lacking].lack})`, body);
}
