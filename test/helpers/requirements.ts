// What tests need of the machine, found out by trying it in a scratch namespace.
import { randomBytes } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { toolDirectory } from './cni.ts';
import { run } from './command.ts';
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
	ipv6: {
		lack: 'this kernel has no IPv6',
		attempt: 'ip link set lo up && ip -6 address add fd00::1/128 dev lo',
	},
	tcpdump: { lack: 'this machine has no tcpdump', attempt: 'command -v tcpdump' },
	cnitool: { lack: 'this machine has no cnitool', attempt: `test -x '${toolDirectory}/cnitool'` },
	'reference-plugins': {
		lack: 'this machine has no reference plugins',
		attempt: `cd '${toolDirectory}' && test -x bridge -a -x host-local -a -x static`,
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
