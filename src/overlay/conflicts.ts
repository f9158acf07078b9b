// Overlaps with what is there already: networks that stay without being in the file, and the hosts of agents.

import { formatSubnet, type Subnet } from '../ipam/subnet.ts';
import type { Network, OverlayConfiguration, VtepSettings } from './configuration.ts';
import type { UsedSubnet } from './configuration-rules.ts';
import type { NetworkRecord } from './records.ts';
import { networksOf, type OverlayState } from './state.ts';
import { addressBlock, isSubnet, overlaps, parseSubnet, sameSubnet } from './subnet-text.ts';

/** Why a file cannot be followed, and what to do instead. */
export interface Refusal {
	readonly wrong: string;
	readonly advice: string;
}

/** Overlaps of what the file has with what stays without being in it. */
export function findConflicts({ vtep, networks }: OverlayConfiguration, staying: readonly NetworkRecord[]): Refusal[] {
	const wanted = usedSubnets(vtep, networks);
	return staying.flatMap(({ network, phase }) =>
		subnetsOf(network).flatMap((taken) =>
			wanted
				.filter(({ subnet }) => overlaps(subnet, taken))
				.map(({ user, subnet }) => ({
					wrong: `${user}: ${formatSubnet(subnet)} overlaps ${formatSubnet(taken)} of the network "${network.name}"`,
					advice:
						phase === 'draining'
							? 'it is still being drained. Wait until it is gone, or start with --force'
							: 'it was added by a request. Remove it by DELETE /v1/networks first, or write another subnet',
				})),
		),
	);
}

/** Agents whose own addresses are in subnets that `who` is to have, and did not have before. */
export function findHostsWithin(
	{ agents }: OverlayState,
	who: string,
	subnets: readonly Subnet[],
	before: readonly Subnet[] = [],
): Refusal[] {
	const added = subnets.filter((subnet) => !before.some((one) => sameSubnet(one, subnet)));
	return added.flatMap((subnet) => {
		const [first, ...others] = [...agents.keys()].filter((ip) => overlaps(subnet, addressBlock(ip)));
		if (first === undefined) return [];
		const rest = others.length > 0 ? ` and of ${others.length} more` : '';
		const wrong = `${who}: ${formatSubnet(subnet)} has the address of the agent ${first}${rest}`;
		return [{ wrong, advice: 'nobody would reach these hosts any more. Write a subnet without them' }];
	});
}

/** Why an address cannot be that of an agent's host; undefined when it can. */
export function findAddressMistake(state: OverlayState, ip: string): string | undefined {
	const block = addressBlock(ip);
	const result = parseSubnet(formatSubnet(block), block.family);
	if (!isSubnet(result)) return `no host can have this address: ${result.wrong}`;
	const networks = networksOf(state).map(({ network }) => network);
	const found = usedSubnets(state.vtep, networks).find(({ subnet }) => overlaps(subnet, block));
	return found && `${formatSubnet(found.subnet)} is for ${found.user}: the address of a host must be another`;
}

/** What is the VTEPs' and the networks' already. */
export function usedSubnets(vtep: VtepSettings | undefined, networks: readonly Network[]): UsedSubnet[] {
	return [
		...(vtep === undefined ? [] : vtepSubnetsOf(vtep)).map((subnet) => ({ subnet, user: 'the VTEPs' })),
		...networks.flatMap((network) =>
			subnetsOf(network).map((subnet) => ({ subnet, user: `the network "${network.name}"` })),
		),
	];
}

export function subnetsOf({ ipv4, ipv6 }: Network): Subnet[] {
	return [ipv4, ipv6].flatMap((part) => part?.subnet ?? []);
}

export function vtepSubnetsOf({ subnet, subnet6 }: VtepSettings): Subnet[] {
	return subnet6 === undefined ? [subnet] : [subnet, subnet6];
}
