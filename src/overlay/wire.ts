// What master and agents tell each other: the tunnel end points, the networks, and the agents, as JSON.

import * as v from 'valibot';
import { present } from '../cni/fields.ts';
import { formatAddress } from '../ipam/address.ts';
import { formatSubnet, type Subnet } from '../ipam/subnet.ts';
import type { VtepSettings } from './configuration.ts';
import type { AgentRecord, NetworkRecord } from './records.ts';
import { VTEP, vtepMac } from './vtep.ts';

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** What the tunnel end points of all agents have in common. */
export const vtepsShape = v.object({
	/** The device. */
	name: text,
	vni: count,
	/** The UDP port. */
	port: count,
	/** In which their addresses are; the first has the prefix length that they get. */
	subnet: text,
	subnet6: v.optional(text),
	/** Of the device and the bridges, in bytes. Absent: what the underlay leaves. */
	mtu: v.optional(count),
});
export type WireVteps = v.InferOutput<typeof vtepsShape>;

/** A network. Draining: it takes no further container, and goes when the last one has gone. Disabled: no further agent. */
export const wireNetworkShape = v.object({
	name: text,
	overlay: v.optional(text),
	prefix: v.optional(count),
	overlay6: v.optional(text),
	prefix6: v.optional(count),
	/** As it was written. */
	enabled: v.optional(v.boolean()),
	state: v.picklist(['active', 'draining', 'disabled']),
});
export type WireNetwork = v.InferOutput<typeof wireNetworkShape>;

/** An agent, by its address on the underlay, with its VTEP and its agent subnets by network. */
export const wireAgentShape = v.object({
	ip: text,
	vtep: v.object({ ip: text, ip6: v.optional(text), mac: text }),
	networks: v.record(text, v.object({ subnet: v.optional(text), subnet6: v.optional(text) })),
});
export type WireAgent = v.InferOutput<typeof wireAgentShape>;

export function encodeVteps({ subnet, subnet6, mtu }: VtepSettings): WireVteps {
	return present({ ...VTEP, subnet: formatSubnet(subnet), subnet6: subnet6 && formatSubnet(subnet6), mtu });
}

export function encodeNetwork({ network, phase }: NetworkRecord): WireNetwork {
	const { name, ipv4, ipv6, enabled = true } = network;
	const state: WireNetwork['state'] = enabled || phase === 'draining' ? phase : 'disabled';
	return present({
		name,
		overlay: ipv4 && formatSubnet(ipv4.subnet),
		prefix: ipv4?.prefix,
		overlay6: ipv6 && formatSubnet(ipv6.subnet),
		prefix6: ipv6?.prefix,
		enabled: network.enabled,
		state,
	});
}

export function encodeAgent({ ip, vtep, vtep6, networks }: AgentRecord, macOui: string): WireAgent {
	const subnets = Array.from(networks, ([name, { subnet, subnet6 }]): [string, WireAgent['networks'][string]] => [
		name,
		present({ subnet: subnet && formatSubnet(subnet), subnet6: subnet6 && formatSubnet(subnet6) }),
	]);
	return {
		ip,
		vtep: present({ ip: addressOf(vtep), ip6: vtep6 && addressOf(vtep6), mac: vtepMac(macOui, vtep.network) }),
		networks: Object.fromEntries(subnets),
	};
}

function addressOf({ family, network }: Subnet): string {
	return formatAddress({ family, value: network });
}
