// Has the host forward our packets where the policy of iptables' chain FORWARD is to drop, as Docker leaves it behind.
//
// What accepts ours stands at the end of that chain, in the place of its policy: whatever others drop before stays dropped,
// what goes to Docker's own containers for one. Our tables drop what they drop all the same.

import { readText, statusOf } from '../linux/files.ts';
import { isKernelError } from '../netlink/netlink-error.ts';
import { findPolicy } from '../netlink/nf-chain.ts';
import { acceptsDevice, type Direction } from '../netlink/nf-device-rule.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6, type Table } from '../netlink/nf-message.ts';
import { findRules } from '../netlink/nf-rule.ts';
import { NETLINK_NETFILTER, openConnection } from '../netlink/socket.ts';
import { familyOf } from '../ip/address.ts';
import type { Family } from './port-mappings.ts';
import type { NetworkRecord } from './records.ts';

export type BridgedNetwork = Pick<NetworkRecord, 'bridge' | 'subnets'>;

/** A rule that a chain which drops has to have. */
export interface ForwardRule {
	/** In nf_tables, where iptables-nft has its table, or in the tables of the older iptables. */
	readonly variant: 'nft' | 'legacy';
	readonly family: Family;
	readonly direction: Direction;
	readonly bridge: string;
}

export const FORWARD = 'FORWARD';
const DIRECTIONS: readonly Direction[] = ['in', 'out'];

/** What iptables-nft keeps its table filter in. */
export const FILTERS: Readonly<Record<Family, Table>> = {
	4: { family: NFPROTO_IPV4, name: 'filter' },
	6: { family: NFPROTO_IPV6, name: 'filter' },
};

/**
 * Adds the rules that let pass what a network's bridge forwards, where they are needed and missing, and gives whether there
 * were any; `directory` has the lock. Nothing waits past `deadline` (ms of performance.now()). Throws NetlinkError,
 * SystemCallError, CniError 11 or 100.
 */
export async function passForwardPolicy(
	network: BridgedNetwork,
	directory: string,
	deadline: number,
): Promise<boolean> {
	if ((await missingRules(network, deadline)).length === 0) return false;
	const { addMissingRules } = await import('./forward-policy-change.ts');
	addMissingRules(network, directory, deadline);
	return true;
}

/** The rules that are needed and missing, in words. Throws as {@link passForwardPolicy}. */
export async function differencesOfForwarding(network: BridgedNetwork, deadline: number): Promise<string[]> {
	const missing = await missingRules(network, deadline);
	return missing.map((rule) => `rule "${ruleText(rule)}" of ${programOf(rule)} is missing, and the policy is DROP`);
}

/** A rule as iptables has it. */
export function ruleText({ direction, bridge }: Pick<ForwardRule, 'direction' | 'bridge'>): string {
	return `-A ${FORWARD} -${direction === 'in' ? 'i' : 'o'} ${bridge} -j ACCEPT`;
}

/** The program that shows a rule. */
export function programOf({ variant, family }: Pick<ForwardRule, 'variant' | 'family'>): string {
	return `${family === 4 ? 'iptables' : 'ip6tables'}${variant === 'legacy' ? '-legacy' : ''}`;
}

async function missingRules(network: BridgedNetwork, deadline: number): Promise<ForwardRule[]> {
	const missing = missingInNft(network, deadline);
	if (!familiesOf(network).some(hasLegacyFilter)) return missing;
	const { missingInLegacy } = await import('./legacy-filter.ts');
	return [...missing, ...missingInLegacy(network)];
}

/** The rules that are needed and missing in nf_tables. */
export function missingInNft(network: BridgedNetwork, deadline: number): ForwardRule[] {
	try {
		const connection = openConnection(NETLINK_NETFILTER, deadline);
		try {
			return familiesOf(network).flatMap((family) => {
				if (findPolicy(connection, FILTERS[family], FORWARD) !== 'drop') return [];
				const rules = findRules(connection, FILTERS[family], FORWARD, network.bridge);
				return rulesFor('nft', family, network).filter(
					({ direction, bridge }) =>
						!rules.some((rule) => acceptsDevice(rule.expressions, direction, bridge)),
				);
			});
		} finally {
			connection.close();
		}
	} catch (error) {
		// A kernel without nf_tables drops nothing there.
		if (isKernelError(error, 'EINVAL', 'EOPNOTSUPP', 'EPROTONOSUPPORT')) return [];
		throw error;
	}
}

/** Whether the older iptables has its table filter: to ask it for its contents would make one. */
export function hasLegacyFilter(family: Family): boolean {
	const path = `/proc/net/${family === 4 ? 'ip' : 'ip6'}_tables_names`;
	return statusOf(path) !== undefined && readText(path).split('\n').includes('filter');
}

export function familiesOf({ subnets }: BridgedNetwork): Family[] {
	return ([4, 6] as const).filter((family) => subnets.some((subnet) => familyOf(subnet) === family));
}

/** The rules that let pass what comes from a network's bridge, and what goes to it. */
export function rulesFor(variant: ForwardRule['variant'], family: Family, { bridge }: BridgedNetwork): ForwardRule[] {
	return DIRECTIONS.map((direction) => ({ variant, family, direction, bridge }));
}
