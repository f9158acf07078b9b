// Decides whether something that the kernel tells is a change of what should be. Most is not: our own changes, and those of
// devices that are none of ours.

import { decodeAddress } from '../../netlink/address.ts';
import { decodeForwardingEntry, isForwardingEntry } from '../../netlink/forwarding-entry.ts';
import { decodeLink } from '../../netlink/link.ts';
import { decodeNeighbour, isNeighbour } from '../../netlink/neighbour.ts';
import { decodeParameters } from '../../netlink/network-parameters.ts';
import { decodeProtocolRoute } from '../../netlink/protocol-route.ts';
import type { Event } from '../../netlink/subscription.ts';
import { decodeVxlan } from '../../netlink/vxlan.ts';
import { BRIDGE_ALIAS, ROUTE_PROTOCOL, UNREACHABLE, type Wanted } from './host-state.ts';

// include/uapi/linux/rtnetlink.h
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const RTM_NEWNETCONF = 80;

/** What was changed, in words, without the one who did it; undefined: nothing that matters. `vtep` is the VTEP's index. */
export function disturbanceOf(event: Event, wanted: Wanted, vtep: number): string | undefined {
	const { type, payload } = event;
	switch (type) {
		case RTM_NEWLINK:
		case RTM_DELLINK:
			return ofLink(payload, type === RTM_NEWLINK, wanted);
		case RTM_NEWADDR:
		case RTM_DELADDR:
			return ofAddress(payload, type === RTM_NEWADDR, wanted, vtep);
		case RTM_NEWROUTE:
		case RTM_DELROUTE:
			return ofRoute(payload, type === RTM_NEWROUTE, wanted, vtep);
		case RTM_NEWNEIGH:
		case RTM_DELNEIGH:
			return ofNeighbour(payload, type === RTM_NEWNEIGH, wanted, vtep);
		case RTM_NEWNETCONF:
			return ofParameters(payload, wanted, vtep);
		default:
			return undefined;
	}
}

function ofLink(payload: Buffer, isThere: boolean, { vtep, bridges }: Wanted): string | undefined {
	const link = decodeLink(payload);
	const bridge = bridges.get(link.name);
	const isVtep = vtep !== undefined && link.name === vtep.name;
	// A bridge that was left because of its ports can go with the last of them.
	if (!isVtep && bridge === undefined) {
		return link.alias.startsWith(BRIDGE_ALIAS) && isThere ? `device "${link.name}" is left over` : undefined;
	}
	// A bridge tells of its ports as well, by its own family.
	if (payload[0] !== 0) return undefined;
	if (!isThere) return `device "${link.name}" was removed`;
	if (!link.up) return `device "${link.name}" is down`;
	const mtu = isVtep ? vtep.mtu : bridge?.mtu;
	if (link.mtu !== mtu) return `the MTU of device "${link.name}" is ${link.mtu}`;
	if (!isVtep) return undefined;
	if (link.mac !== vtep.mac) return `the MAC address of device "${link.name}" is ${link.mac}`;
	const tunnel = decodeVxlan(payload);
	if (tunnel === undefined) return `device "${link.name}" is another one`;
	const isSame =
		tunnel.vni === vtep.vni && tunnel.port === vtep.port && tunnel.local === vtep.local && !tunnel.learning;
	return isSame ? undefined : `device "${link.name}" is another tunnel`;
}

function ofAddress(payload: Buffer, isThere: boolean, wanted: Wanted, vtep: number): string | undefined {
	const { link, cidr, linkLocal } = decodeAddress(payload);
	if (link !== vtep || linkLocal) return undefined;
	return compared(`address ${cidr}`, isThere, wanted.vtep?.addresses.includes(cidr) === true);
}

function ofRoute(payload: Buffer, isThere: boolean, wanted: Wanted, vtep: number): string | undefined {
	// The network interfaces of containers bring many that are not worth a look.
	if (payload[5] !== ROUTE_PROTOCOL) return undefined;
	const { route, isMain } = decodeProtocolRoute(payload);
	if (!isMain) return undefined;
	const { dst, via } = route;
	const gw = via?.gw ?? UNREACHABLE;
	const isWanted = wanted.routes.get(dst) === gw && (via === undefined || via.link === vtep);
	return compared(gw === UNREACHABLE ? `unreachable route ${dst}` : `route ${dst} via ${gw}`, isThere, isWanted);
}

function ofNeighbour(payload: Buffer, isThere: boolean, wanted: Wanted, vtep: number): string | undefined {
	if (isForwardingEntry(payload)) {
		const { link, mac, host } = decodeForwardingEntry(payload);
		if (link !== vtep) return undefined;
		return compared(`forwarding entry ${mac} to ${host}`, isThere, wanted.forwarding.get(mac) === host);
	}
	if (!isNeighbour(payload)) return undefined;
	const { link, ip, mac, permanent } = decodeNeighbour(payload);
	const wantedMac = wanted.neighbours.get(ip);
	if (link !== vtep || (wantedMac === undefined && !permanent)) return undefined;
	// A neighbour is told as failed before it is told as gone.
	return compared(`neighbour ${ip} at ${mac}`, isThere, wantedMac === mac && (permanent || !isThere));
}

function ofParameters(payload: Buffer, wanted: Wanted, vtep: number): string | undefined {
	for (const [name, value] of decodeParameters(payload, vtep, wanted.vtep?.name ?? '')) {
		const right = wanted.parameters.get(name);
		if (right !== undefined && value !== right) return `the kernel parameter net/${name} is ${value}`;
	}
	return undefined;
}

/** What is there and should not be, or is gone and should be there. */
function compared(what: string, isThere: boolean, isWanted: boolean): string | undefined {
	if (isThere === isWanted) return undefined;
	return isThere ? `${what} came` : `${what} was removed`;
}
