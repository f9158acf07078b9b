// The agent subnet and its halves, and which of their addresses containers get.

import { ADDRESS_BITS } from './address.ts';
import type { Range } from './range.ts';
import { type OnLinkGateways, routedRange } from './routed.ts';
import { contains, formatSubnet, invalid, lastAddress, readSubnet, splitSubnet, type Subnet } from './subnet.ts';

/** Whose part of the agent subnet: the Mesos half is the low one, the Docker half the high one. */
export const HALVES = ['mesos', 'docker', 'all'] as const;
export type Half = (typeof HALVES)[number];

/** What an agent subnet has to satisfy; what is undefined is not checked. */
export interface SubnetRules {
	readonly overlay: Subnet | undefined;
	readonly prefix: number | undefined;
	/** Where the two came from, for messages. */
	readonly overlayKey: string;
	readonly prefixKey: string;
}

/** Reads an agent subnet, the value of `key`. Throws CniError (invalid configuration) when it breaks a rule. */
export function readAgentSubnet(text: string, key: string, family: 4 | 6, rules: SubnetRules): Subnet {
	const subnet = readSubnet(text, key, family);
	const { overlay, overlayKey, prefix, prefixKey } = rules;
	if (overlay !== undefined && !contains(overlay, subnet)) {
		throw invalid(
			key,
			text,
			`is not inside the overlay "${formatSubnet(overlay)}", take a part of it or set ${overlayKey}`,
		);
	}
	if (prefix !== undefined && subnet.prefix !== prefix) {
		throw invalid(key, text, `has not the prefix length ${prefix}, set ${prefixKey} to ${subnet.prefix}`);
	}
	return subnet;
}

/**
 * The range that a half of an agent subnet gives to containers: without its network address, its gateway and, in IPv4,
 * its broadcast address, or all of it where the gateways are others. Throws CniError (invalid configuration), naming
 * `key`, when nothing remains.
 */
export function rangeOfHalf(agentSubnet: Subnet, half: Half, key: string, gateways?: OnLinkGateways): Range {
	const { family } = agentSubnet;
	const subnet = half === 'all' ? agentSubnet : splitSubnet(agentSubnet)?.[half === 'mesos' ? 0 : 1];
	if (subnet !== undefined && gateways !== undefined) return routedRange(subnet, gateways[family]);
	if (subnet === undefined || subnet.prefix > longestPrefix(family)) {
		const longest =
			(gateways === undefined ? longestPrefix(family) : ADDRESS_BITS[family]) - (half === 'all' ? 0 : 1);
		const part = half === 'all' ? 'it' : `its half "${half}"`;
		const room = gateways === undefined ? 'a gateway and a container' : 'a container';
		const why = `is too small: ${part} has no room for ${room}, its prefix length can be ${longest} at most`;
		throw invalid(key, formatSubnet(agentSubnet), why);
	}
	const gateway = subnet.network + 1n;
	return {
		subnet,
		prefix: subnet.prefix,
		gateway: { family, value: gateway },
		first: gateway + 1n,
		last: lastAddress(subnet) - (family === 4 ? 1n : 0n),
	};
}

/** Four addresses: network, gateway, a container, and broadcast in IPv4 or a second container in IPv6. */
function longestPrefix(family: 4 | 6): number {
	return ADDRESS_BITS[family] - 2;
}
