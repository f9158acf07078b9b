// Sees what the host has of what an agent cares for.

import { statusOf } from '../../linux/files.ts';
import { readSysctl } from '../../linux/sysctl.ts';
import { listAddresses } from '../../netlink/address.ts';
import { listBridges } from '../../netlink/bridge.ts';
import { findChecksumOffload } from '../../netlink/checksum-offload.ts';
import type { Connection } from '../../netlink/connection.ts';
import { listForwardingEntries } from '../../netlink/forwarding-entry.ts';
import { listPorts } from '../../netlink/link.ts';
import { listNeighbours } from '../../netlink/neighbour.ts';
import { listProtocolRoutes, type ProtocolRoute } from '../../netlink/protocol-route.ts';
import { findVxlan } from '../../netlink/vxlan.ts';
import { AgentError } from '../agent-error.ts';
import { BRIDGE_ALIAS, ROUTE_PROTOCOL, type Seen, type SeenBridge, UNREACHABLE, type Wanted } from './host-state.ts';
import type { Kernel } from './kernel.ts';

/**
 * What the host has; `name` is that of the VTEP. Throws AgentError `foreignDevice` when that is another device's, NetlinkError.
 */
export function look(kernel: Kernel, name: string, wanted: Pick<Wanted, 'bridges' | 'parameters'>): Seen {
	const { route } = kernel;
	const found = findVxlan(route, name);
	const routes = listProtocolRoutes(route, ROUTE_PROTOCOL);
	const host = { bridges: seeBridges(route, wanted), parameters: seeParameters(wanted) };
	if (found === undefined) {
		return {
			vtep: undefined,
			addresses: new Set(),
			neighbours: new Map(),
			forwarding: new Map(),
			...sortRoutes(routes, 0),
			...host,
		};
	}
	const { link, vxlan } = found;
	if (vxlan === undefined) {
		throw new AgentError(
			'foreignDevice',
			`using "${name}": a device of that name exists and is no VXLAN device; remove or rename it`,
		);
	}
	return {
		vtep: {
			...vxlan,
			name,
			mac: link.mac,
			mtu: link.mtu,
			up: link.up,
			checksumOffload: seeChecksumOffload(kernel, name),
		},
		addresses: new Set(
			listAddresses(route, link)
				.filter(({ linkLocal }) => !linkLocal)
				.map(({ cidr }) => cidr),
		),
		neighbours: new Map(listNeighbours(route, link).map(({ ip, mac }) => [ip, mac])),
		forwarding: new Map(listForwardingEntries(route, link).map(({ mac, host: behind }) => [mac, behind])),
		...sortRoutes(routes, link.index),
		...host,
	};
}

/** Of several routes to one destination, the kernel uses the first. */
function sortRoutes(routes: readonly ProtocolRoute[], vtep: number): Pick<Seen, 'routes' | 'strayRoutes'> {
	const usual = new Map<string, string>();
	const strayRoutes: ProtocolRoute[] = [];
	for (const route of routes) {
		const { dst, via } = route;
		const isUsual = via === undefined || (via.link === vtep && via.gw !== '');
		if (isUsual && !usual.has(dst)) usual.set(dst, via?.gw ?? UNREACHABLE);
		else strayRoutes.push(route);
	}
	return { routes: usual, strayRoutes };
}

function seeBridges(route: Connection, wanted: Pick<Wanted, 'bridges'>): Map<string, SeenBridge> {
	const bridges = new Map<string, SeenBridge>();
	for (const link of listBridges(route)) {
		const { name, mtu, up, alias } = link;
		const isWanted = wanted.bridges.has(name);
		if (!isWanted && !alias.startsWith(BRIDGE_ALIAS)) continue;
		bridges.set(name, { mtu, up, alias, hasPorts: !isWanted && listPorts(route, link).length > 0 });
	}
	return bridges;
}

function seeParameters({ parameters }: Pick<Wanted, 'parameters'>): Map<string, string> {
	const seen = new Map<string, string>();
	for (const name of parameters.keys()) {
		if (statusOf(`/proc/sys/net/${name}`) !== undefined) seen.set(name, readSysctl(name));
	}
	return seen;
}

function seeChecksumOffload({ generic, ethtool }: Kernel, name: string): boolean | undefined {
	return ethtool === undefined ? undefined : findChecksumOffload(generic, ethtool, name);
}
