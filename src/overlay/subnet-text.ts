// Subnets as people write them, and whether they can be a network's.

import { formatIp } from '../ip/address.ts';
import { networkOf, parseCidr } from '../ip/cidr.ts';
import { ADDRESS_BITS, type Family } from '../ipam/address.ts';
import { contains, formatSubnet, lastAddress, type Subnet } from '../ipam/subnet.ts';

/** Why a value cannot be used, and what could be. */
export interface Mistake {
	readonly wrong: string;
	readonly right: string;
}

const EXAMPLES = { 4: '9.0.0.0/8', 6: 'fd01:b::/64' } as const;

/** Addresses that have a meaning of their own: RFC 6890, RFC 5771, RFC 4291. */
const RESERVED = [
	{ subnet: '0.0.0.0/8', use: '"this network"' },
	{ subnet: '127.0.0.0/8', use: 'the loopback' },
	{ subnet: '169.254.0.0/16', use: 'link-local addresses' },
	{ subnet: '224.0.0.0/4', use: 'multicast' },
	{ subnet: '240.0.0.0/4', use: 'future use' },
	{ subnet: '::/96', use: 'the loopback' },
	{ subnet: '::ffff:0.0.0.0/96', use: 'IPv4 addresses' },
	{ subnet: 'fe80::/10', use: 'link-local addresses' },
	{ subnet: 'ff00::/8', use: 'multicast' },
].map(({ subnet, use }) => ({ subnet: subnetOf(subnet), use }));

/** A subnet of a family, or why the text is none that a network can have. */
export function parseSubnet(text: string, family: Family): Subnet | Mistake {
	const example = `write it as "${EXAMPLES[family]}"`;
	const cidr = parseCidr(text);
	if (cidr === undefined) return { wrong: `"${text}" is no IPv${family} subnet`, right: example };
	const subnet = subnetOf(text);
	if (subnet.family !== family) return { wrong: `"${text}" is an IPv${subnet.family} subnet`, right: example };
	if (formatIp(networkOf(cidr)) !== formatIp(cidr.ip)) {
		return { wrong: `"${text}" has bits set behind its prefix`, right: `write "${formatSubnet(subnet)}"` };
	}
	const reserved = RESERVED.find((one) => overlaps(one.subnet, subnet));
	if (reserved === undefined) return subnet;
	const wrong = `"${text}" has addresses of ${formatSubnet(reserved.subnet)}, which is for ${reserved.use}`;
	return { wrong, right: `use private addresses, such as ${family === 4 ? '10.0.0.0/8' : 'fd00::/8'}` };
}

/** Whether a result is a subnet. */
export function isSubnet(result: Subnet | Mistake): result is Subnet {
	return 'network' in result;
}

/** The subnet of a text that is known to be one, its host bits left out. Throws TypeError when it is none. */
export function subnetOf(text: string): Subnet {
	const cidr = parseCidr(text);
	if (cidr === undefined) throw new TypeError(`reading a subnet: "${text}" is none`);
	const family = cidr.ip.length === 4 ? 4 : 6;
	const network = networkOf(cidr).reduce((high, byte) => (high << 8n) | BigInt(byte), 0n);
	return { family, network, prefix: cidr.prefix };
}

/** Whether two subnets have an address in common. */
export function overlaps(one: Subnet, other: Subnet): boolean {
	return contains(one, other) || contains(other, one);
}

/** A single address as a subnet. */
export function addressBlock(text: string): Subnet {
	return subnetOf(`${text}/${text.includes(':') ? ADDRESS_BITS[6] : ADDRESS_BITS[4]}`);
}

/** Whether two subnets are the same, or both absent. */
export function sameSubnet(one: Subnet | undefined, other: Subnet | undefined): boolean {
	if (one === undefined || other === undefined) return one === other;
	return contains(one, other) && lastAddress(one) === lastAddress(other);
}
