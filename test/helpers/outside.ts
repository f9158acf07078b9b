// A machine outside, at the other end of the host's uplink.
import type { ExecutionContext } from 'ava';
import { eventually } from './command.ts';
import type { Host } from './host.ts';
import { createNamespace, type Namespace } from './namespace.ts';

/** The host's and the outside's address of each family. */
export const uplink = {
	4: { host: '192.0.2.1', outside: '192.0.2.2', prefix: 24 },
	6: { host: '2001:db8::1', outside: '2001:db8::2', prefix: 64 },
} as const;

/** Lays a wire between the host and a machine that knows of nothing behind the host. */
export function outside(t: ExecutionContext, host: Host): Namespace {
	const machine = createNamespace(t, 'outside');
	host.must(['ip', 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'uplink', 'netns', machine.name]);
	for (const [role, end] of [
		['host', host],
		['outside', machine],
	] as const) {
		// A forwarded packet finds its neighbour only when our link-local address is past duplicate detection.
		end.must(['sh', '-c', 'echo 0 > /proc/sys/net/ipv6/conf/uplink/accept_dad']);
		for (const each of Object.values(uplink)) {
			end.must(['ip', 'address', 'add', `${each[role]}/${each.prefix}`, 'dev', 'uplink', 'nodad']);
		}
		end.must(['ip', 'link', 'set', 'uplink', 'up']);
	}
	for (const end of [host, machine]) eventually('the uplink to be up', () => end.link('uplink')?.operstate === 'UP');
	return machine;
}
