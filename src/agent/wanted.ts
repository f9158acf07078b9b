// Computes what a host should have from what the master says. Nothing but its arguments counts.

import { macOfGateway } from '../bridge/names.ts';
import { familyOf, formatIp, parseIp } from '../ip/address.ts';
import { networkOf, parseCidr } from '../ip/cidr.ts';
import { formatAddress } from '../ipam/address.ts';
import { splitSubnet } from '../ipam/subnet.ts';
import { VXLAN_OVERHEAD } from '../netlink/vxlan.ts';
import { subnetOf } from '../overlay/subnet-text.ts';
import type { WireAgent, WireNetwork, WireVteps } from '../overlay/wire.ts';
import type { ClusterState } from './master/cluster-state.ts';
import { type Bridge, UNREACHABLE, type Vtep, type Wanted } from './kernel/host-state.ts';

/** What a host says of itself. */
export interface HostOptions {
	/** Its address on the underlay, by which the master knows it. */
	readonly ip: string;
	/** Of the device that has it, in bytes. */
	readonly underlayMtu: number;
	/** Of VTEP and bridges, in place of what the underlay leaves and what the master says. */
	readonly mtu?: number;
	/** Whether the network card may compute the checksums inside the tunnel; false when absent. */
	readonly checksumOffload?: boolean;
}

/** What was left out because it cannot be, in words. */
export interface Wish {
	readonly wanted: Wanted;
	readonly problems: readonly string[];
}

/** The smallest MTU with which IPv6 works, RFC 8200 §5. */
const IPV6_MTU = 1280;

/** What a host should have; undefined: the master does not know it. Throws TypeError when the master says nonsense of it. */
export function wishOf(state: ClusterState, options: HostOptions): Wish | undefined {
	const self = state.agents.get(options.ip);
	if (self === undefined) return undefined;
	const mtu = options.mtu ?? state.vteps.mtu ?? options.underlayMtu - VXLAN_OVERHEAD[familyOf(self.ip)];
	const vtep = vtepOf(self, state.vteps, mtu, options);
	const problems: string[] = [];
	if (mtu < IPV6_MTU && vtep.addresses.some((cidr) => cidr.includes(':'))) {
		problems.push(`IPv6 needs an MTU of ${IPV6_MTU}, and the underlay leaves ${mtu}`);
	}
	const wanted = {
		vtep,
		...entriesOfAll(state, self, problems),
		bridges: bridgesOf(self, state.networks, mtu),
		parameters: parametersOf(vtep),
	};
	return { wanted, problems };
}

function vtepOf(self: WireAgent, vteps: WireVteps, mtu: number, { checksumOffload = false }: HostOptions): Vtep {
	const { name, vni, port, subnet, subnet6 } = vteps;
	const addresses = [`${canonical(self.vtep.ip)}/${subnetOf(subnet).prefix}`];
	if (self.vtep.ip6 !== undefined && subnet6 !== undefined) {
		addresses.push(`${canonical(self.vtep.ip6)}/${subnetOf(subnet6).prefix}`);
	}
	const mac = canonicalMac(self.vtep.mac);
	return { name, vni, port, mac, mtu, local: canonical(self.ip), addresses, checksumOffload };
}

/**
 * Other hosts may send by any of their addresses, also by that on the underlay, to which the way back does not lead through
 * the VTEP; and a second address must not go with the first. Routers and duplicates are not looked for in a tunnel.
 */
function parametersOf({ name, addresses }: Vtep): Map<string, string> {
	const parameters = new Map([
		[`ipv4/conf/${name}/rp_filter`, '2'],
		[`ipv4/conf/${name}/promote_secondaries`, '1'],
		['ipv4/ip_forward', '1'],
	]);
	if (addresses.some((cidr) => cidr.includes(':'))) {
		parameters.set(`ipv6/conf/${name}/disable_ipv6`, '0');
		parameters.set(`ipv6/conf/${name}/accept_ra`, '0');
		parameters.set(`ipv6/conf/${name}/accept_dad`, '0');
		parameters.set('ipv6/conf/all/forwarding', '1');
	}
	return parameters;
}

/** The bridges of the networks of which this host has a part: made as the plugin would make them. */
function bridgesOf(self: WireAgent, networks: readonly WireNetwork[], mtu: number): Map<string, Bridge> {
	const bridges = new Map<string, Bridge>();
	for (const { name: network } of networks) {
		const { subnet, subnet6 } = self.networks[network] ?? {};
		const text = subnet ?? subnet6;
		const half = text === undefined ? undefined : splitSubnet(subnetOf(text))?.[0];
		if (half === undefined) continue;
		const gateway = formatAddress({ family: half.family, value: half.network + 1n });
		bridges.set(`m-${network}`, { network, mtu, mac: macOfGateway(gateway) });
	}
	return bridges;
}

/** What leads to one other agent. */
interface AgentEntries {
	readonly neighbours: readonly (readonly [string, string])[];
	readonly forwarding: readonly [string, string];
	readonly routes: readonly (readonly [string, string])[];
	readonly problem: string | undefined;
}

function entriesOfAll(
	{ agents, networks }: ClusterState,
	self: WireAgent,
	problems: string[],
): Pick<Wanted, 'neighbours' | 'forwarding' | 'routes'> {
	const neighbours = new Map<string, string>();
	const forwarding = new Map<string, string>();
	const routes = new Map<string, string>();
	for (const { overlay, overlay6 } of networks) {
		// What no agent has would leave by the default route.
		for (const cidr of [overlay, overlay6]) if (cidr !== undefined) routes.set(canonicalCidr(cidr), UNREACHABLE);
	}
	for (const agent of agents.values()) {
		if (agent.ip === self.ip) continue;
		const entries = entriesOf(agent);
		if (entries === undefined || familyOf(agent.ip) !== familyOf(self.ip)) {
			problems.push(`agent ${agent.ip} cannot be reached from ${self.ip}: ${whyNot(entries)}`);
			continue;
		}
		if (entries.problem !== undefined) problems.push(entries.problem);
		for (const [ip, mac] of entries.neighbours) neighbours.set(ip, mac);
		forwarding.set(...entries.forwarding);
		for (const [dst, gw] of entries.routes) routes.set(dst, gw);
	}
	return { neighbours, forwarding, routes };
}

function whyNot(entries: AgentEntries | undefined): string {
	return entries === undefined ? 'the master says no addresses of it' : 'its address is of the other family';
}

/** An agent that has not changed need not be looked at again: of ten thousand, mostly one changes. */
const known = new WeakMap<WireAgent, AgentEntries | undefined>();

function entriesOf(agent: WireAgent): AgentEntries | undefined {
	if (!known.has(agent)) known.set(agent, computeEntries(agent));
	return known.get(agent);
}

/** Undefined: it has something that is no address. */
function computeEntries({ ip: host, vtep: { ip, ip6, mac }, networks }: WireAgent): AgentEntries | undefined {
	try {
		const gateways = { 4: canonical(ip), 6: ip6 === undefined ? undefined : canonical(ip6) };
		const hardware = canonicalMac(mac);
		const routes: [string, string][] = [];
		let problem: string | undefined;
		for (const [name, { subnet, subnet6 }] of Object.entries(networks)) {
			if (subnet !== undefined) routes.push([canonicalCidr(subnet), gateways[4]]);
			if (subnet6 === undefined) continue;
			if (gateways[6] !== undefined) routes.push([canonicalCidr(subnet6), gateways[6]]);
			else problem = `network "${name}" of agent ${host} cannot be reached by IPv6: its VTEP has no IPv6 address`;
		}
		const addresses = [gateways[4], ...(gateways[6] === undefined ? [] : [gateways[6]])];
		return {
			neighbours: addresses.map((address) => [address, hardware]),
			forwarding: [hardware, canonical(host)],
			routes,
			problem,
		};
	} catch (error) {
		if (error instanceof TypeError) return undefined;
		throw error;
	}
}

/** An address as the kernel's is written, so that the two can be compared as texts. */
function canonical(text: string): string {
	const ip = parseIp(text);
	if (ip === undefined) throw new TypeError(`reading what the master says: "${text}" is no address`);
	return formatIp(ip);
}

function canonicalCidr(text: string): string {
	const cidr = parseCidr(text);
	if (cidr === undefined) throw new TypeError(`reading what the master says: "${text}" is no subnet`);
	return `${formatIp(networkOf(cidr))}/${cidr.prefix}`;
}

function canonicalMac(text: string): string {
	const mac = text.toLowerCase();
	if (/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac)) return mac;
	throw new TypeError(`reading what the master says: "${text}" is no MAC address`);
}
