// What the values of the configuration have to satisfy together, and beside what is there already.

import { formatSubnet, type Subnet } from '../ipam/subnet.ts';
import type { WrittenConfiguration, WrittenNetwork, WrittenVtep } from './configuration.ts';
import { findNetworkProblems, PART_KEYS, type Unchecked } from './network-rules.ts';
import type { Path, Problem } from './problem.ts';
import { isSubnet, overlaps, parseSubnet } from './subnet-text.ts';
import { findMacOuiMistake, findMtuMistake, SHORTEST_VTEP_PREFIX } from './vtep.ts';

/** Of a VTEP subnet, the first and the last address are given to nobody. */
const VTEP_PREFIXES = { 4: [SHORTEST_VTEP_PREFIX, 30], 6: [0, 126] } as const;

/** A subnet that is in use, and by what: `eth0 of this host`. */
export interface UsedSubnet {
	readonly subnet: Subnet;
	readonly user: string;
}

/** A subnet that is asked for, and where. */
interface Claim extends UsedSubnet {
	readonly path: Path;
}

/** All that is wrong with the values of a configuration at a path, next to subnets that are in use. */
export function findProblems(
	written: Unchecked<WrittenConfiguration>,
	at: Path,
	used: readonly UsedSubnet[],
): Problem[] {
	const overlays = overlaysOf(written, at);
	return [
		...findVtepProblems(written, at),
		...overlays.flatMap(({ network, path }) => findNetworkProblems(network, path)),
		...findDuplicates(overlays),
		...findOverlaps([...vtepClaims(written, at), ...overlays.flatMap(networkClaims)], used),
	];
}

/** The same for a network that is added to those whose subnets are among the `used`. */
export function findProblemsOfNetwork(network: Unchecked<WrittenNetwork>, used: readonly UsedSubnet[]): Problem[] {
	return [...findNetworkProblems(network, []), ...findOverlaps(networkClaims({ network, path: [] }), used)];
}

/** A network, and where it is written. */
interface Overlay {
	readonly network: Unchecked<WrittenNetwork>;
	readonly path: Path;
}

/** The networks of a configuration at a path, as far as they are objects. */
export function overlaysOf({ overlays }: Unchecked<WrittenConfiguration>, at: Path): Overlay[] {
	const list: readonly unknown[] = Array.isArray(overlays) ? overlays : [];
	return list.flatMap((network, index) =>
		typeof network === 'object' && network !== null ? [{ network, path: [...at, 'overlays', index] }] : [],
	);
}

/** Whether anything of a configuration is in IPv6. */
export function usesIpv6(written: Unchecked<WrittenConfiguration>): boolean {
	return (
		written.vtep_subnet6 !== undefined ||
		overlaysOf(written, []).some(({ network }) => network.subnet6 !== undefined)
	);
}

function findVtepProblems(written: Unchecked<WrittenConfiguration>, at: Path): Problem[] {
	const { vtep_subnet, vtep_subnet6, vtep_mac_oui, vtep_mtu } = written;
	const oui = typeof vtep_mac_oui === 'string' ? findMacOuiMistake(vtep_mac_oui) : undefined;
	const mtu = typeof vtep_mtu === 'number' ? findMtuMistake(vtep_mtu, usesIpv6(written)) : undefined;
	return [
		...findVtepSubnetProblems(vtep_subnet, 4, [...at, 'vtep_subnet']),
		...findVtepSubnetProblems(vtep_subnet6, 6, [...at, 'vtep_subnet6']),
		...(oui === undefined ? [] : [{ path: [...at, 'vtep_mac_oui'], ...oui }]),
		...(mtu === undefined ? [] : [{ path: [...at, 'vtep_mtu'], ...mtu }]),
	];
}

function findVtepSubnetProblems(text: unknown, family: 4 | 6, path: Path): Problem[] {
	if (typeof text !== 'string') return [];
	const subnet = parseSubnet(text, family);
	if (!isSubnet(subnet)) return [{ path, ...subnet }];
	const [shortest, longest] = VTEP_PREFIXES[family];
	if (subnet.prefix > longest) {
		return [
			{ path, wrong: `"${text}" has no address for two agents`, right: `write a /${longest} or a larger one` },
		];
	}
	if (subnet.prefix >= shortest) return [];
	const wrong = `"${text}" is too large: the MAC addresses of VTEPs have 24 bits of their own`;
	return [{ path, wrong, right: `write a /${shortest} or a smaller one` }];
}

function findDuplicates(overlays: readonly Overlay[]): Problem[] {
	return overlays.flatMap(({ network: { name }, path }, index) =>
		typeof name === 'string' && overlays.slice(0, index).some(({ network }) => network.name === name)
			? [{ path: [...path, 'name'], wrong: `"${name}" is the name of another network`, right: 'choose another' }]
			: [],
	);
}

function vtepClaims({ vtep_subnet, vtep_subnet6 }: Unchecked<WrittenVtep>, at: Path): Claim[] {
	const user = 'the VTEPs';
	return [
		...claim(vtep_subnet, 4, [...at, 'vtep_subnet'], user),
		...claim(vtep_subnet6, 6, [...at, 'vtep_subnet6'], user),
	];
}

function networkClaims({ network, path }: Overlay): Claim[] {
	return ([4, 6] as const).flatMap((family) => {
		const key = PART_KEYS[family].subnet;
		return claim(network[key], family, [...path, key], `the network "${String(network.name)}"`);
	});
}

function claim(text: unknown, family: 4 | 6, path: Path, user: string): Claim[] {
	const subnet = typeof text === 'string' ? parseSubnet(text, family) : undefined;
	return subnet !== undefined && isSubnet(subnet) ? [{ subnet, path, user }] : [];
}

/** Each claim on what is used, or claimed before it. */
function findOverlaps(claims: readonly Claim[], used: readonly UsedSubnet[]): Problem[] {
	return claims.flatMap(({ subnet, path }, index) =>
		[...used, ...claims.slice(0, index)]
			.filter((other) => overlaps(other.subnet, subnet))
			.map((other) => ({
				path,
				wrong: `"${formatSubnet(subnet)}" overlaps ${formatSubnet(other.subnet)} of ${other.user}`,
				right: 'write a subnet that nothing else uses',
			})),
	);
}
