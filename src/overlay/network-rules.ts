// What the values of one network have to satisfy.

import { isIdentifier } from '../cni/environment.ts';
import { ADDRESS_BITS, type Family } from '../ipam/address.ts';
import type { WrittenNetwork } from './configuration.ts';
import type { Path, Problem } from './problem.ts';
import { isSubnet, parseSubnet } from './subnet-text.ts';

/** Device names have 15 characters at most (IFNAMSIZ, include/uapi/linux/if.h); `m-` and `d-` are the beginning of ours. */
const LONGEST_NAME = 13;

/** Names that Docker or Mesos have given to something else. */
const RESERVED_NAMES = ['host', 'bridge', 'default', 'none'];

/** The bits of an agent subnet that its prefix leaves at least: a half has a network address, a gateway, a container, and one more. */
const LEAST_HOST_BITS = 3;

/** The keys of each family. */
export const PART_KEYS = {
	4: { subnet: 'subnet', prefix: 'prefix' },
	6: { subnet: 'subnet6', prefix: 'prefix6' },
} as const;

/** An object whose values may be of any type: those of a wrong one are passed over here, and told with its shape. */
export type Unchecked<T> = { readonly [Key in keyof T]?: unknown };

/** All that is wrong with the values of a network at a path. Overlaps with others are looked for elsewhere. */
export function findNetworkProblems(network: Unchecked<WrittenNetwork>, at: Path): Problem[] {
	const { name, subnet, subnet6 } = network;
	const hasNone = subnet === undefined && subnet6 === undefined;
	const none = { path: at, wrong: 'has neither subnet nor subnet6', right: 'write subnet and prefix' };
	return [
		...(typeof name === 'string' ? findNameProblems(name, [...at, 'name']) : []),
		...(hasNone ? [none] : []),
		...findPartProblems(network, 4, at),
		...findPartProblems(network, 6, at),
	];
}

function findNameProblems(name: string, path: Path): Problem[] {
	const report = (wrong: string, right: string): Problem[] => [{ path, wrong: `"${name}" ${wrong}`, right }];
	if (name.length > LONGEST_NAME) {
		return report(`has ${name.length} characters`, `it becomes part of a device's name: ${LONGEST_NAME} at most`);
	}
	if (!isIdentifier(name)) {
		return report('cannot be a name', 'write letters, digits, ".", "_" and "-", and a letter or digit first');
	}
	if (RESERVED_NAMES.includes(name)) {
		return report('is reserved', `choose another name than ${RESERVED_NAMES.join(', ')}`);
	}
	return [];
}

function findPartProblems(network: Unchecked<WrittenNetwork>, family: Family, at: Path): Problem[] {
	const keys = PART_KEYS[family];
	const { [keys.subnet]: text, [keys.prefix]: prefix } = network;
	const report = (key: string, wrong: string, right: string): Problem[] => [{ path: [...at, key], wrong, right }];
	if (text === undefined) {
		const right = `write ${keys.subnet}, too, or leave ${keys.prefix} out`;
		return prefix === undefined ? [] : report(keys.prefix, `there is no ${keys.subnet} to divide`, right);
	}
	if (typeof text !== 'string') return [];
	const subnet = parseSubnet(text, family);
	if (!isSubnet(subnet)) return report(keys.subnet, subnet.wrong, subnet.right);
	const longest = ADDRESS_BITS[family] - LEAST_HOST_BITS;
	if (subnet.prefix > longest) {
		return report(keys.subnet, `"${text}" is too small to be divided`, `write a /${longest} or a larger one`);
	}
	const right = `write the prefix length of an agent's subnet, from ${subnet.prefix} to ${longest}`;
	if (prefix === undefined) return report(keys.prefix, 'is missing', right);
	if (typeof prefix !== 'number') return [];
	if (prefix < subnet.prefix) return report(keys.prefix, `${prefix} is larger than the whole "${text}"`, right);
	return prefix > longest ? report(keys.prefix, `${prefix} leaves a half without room for a container`, right) : [];
}
