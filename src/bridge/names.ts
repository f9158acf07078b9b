// Names and MAC addresses that follow from what they belong to, so that no state is needed to find them again.

import type { Attachment } from '../cni/request.ts';
import { formatIp } from '../ip/address.ts';
import { hash32, hash64, shortened } from '../linux/hash.ts';
import { requireIp } from '../netlink/address-family.ts';
import { decodeMac, encodeMac } from '../netlink/link-message.ts';
import { MAX_ALIAS } from '../netlink/link.ts';

const OWNER = 'mesos-overlay';

/** What the MACs begin with that are made here: of an IPv4 address, of an IPv6 address, or of neither. */
const OUR_MACS = ['02:64:', '02:66:', '02:6c:'];

/** The host's interface in a VLAN of a bridge, which has the gateway address. */
export function gatewayInterfaceName(bridge: string, vlan: number): string {
	return `${bridge}.${vlan}`;
}

/** The other end of the pair that puts a bridge's gateway into a VLAN. */
export function vlanPortName(gatewayInterface: string): string {
	return `vlan${hash64(gatewayInterface).slice(0, 11)}`;
}

/** What `ip link` shows of the host's end: whose it is. A container id that is too long is cut. */
export function hostInterfaceAlias(network: string, { containerId, ifname }: Attachment): string {
	const alias = `${aliasPrefix(network)}${containerId} ${ifname}`;
	const tooLong = Buffer.byteLength(alias) - MAX_ALIAS;
	return tooLong <= 0 ? alias : `${aliasPrefix(network)}${containerId.slice(0, -tooLong - 1)}~ ${ifname}`;
}

function aliasPrefix(network: string): string {
	const short = shortened(network, 100);
	return `${OWNER} ${short} `;
}

/** Whether an alias says that the interface is one of ours, of this network. */
export function belongsToNetwork(alias: string, network: string): boolean {
	return alias.startsWith(aliasPrefix(network));
}

/** Whether an alias says that the interface is one of ours, of another network. */
export function belongsToAnotherNetwork(alias: string, network: string): boolean {
	return isOurs(alias) && !belongsToNetwork(alias, network);
}

/** Whether an alias says that the interface is one of ours, of any network. */
export function isOurs(alias: string): boolean {
	return alias.startsWith(`${OWNER} `);
}

/** Whether a name has the form of a host's end: an ADD that was killed leaves no more than the name. */
export function isHostInterfaceName(name: string): boolean {
	return /^veth[0-9a-v]{11}$/.test(name);
}

/**
 * A MAC for an address, the same for the same address: who is given a used address never meets a stale ARP entry.
 * Locally administered; the last four bytes are the IPv4 address, or the end of the IPv6 address.
 */
export function macOfAddress(ip: string): string {
	const octets = requireIp(ip);
	return mac(octets.length === 4 ? 0x64 : 0x66, octets.slice(-4));
}

/**
 * A MAC for the interface of the host that has a gateway address, the same for the same address. No container has it, not even
 * one with that address: a bridge keeps its MAC when the address becomes a container's, as with routed ones.
 */
export function macOfGateway(ip: string): string {
	return macOf32Bits(hash32(ip));
}

/** A MAC for an attachment without an address. */
export function macOfAttachment({ containerId, ifname }: Attachment): string {
	return macOf32Bits(hash32(`${containerId} ${ifname}`));
}

/** A MAC for a bridge without an address. Random, since such bridges of several hosts may meet on one wire. */
export function randomMac(): string {
	return macOf32Bits(Math.floor(Math.random() * 2 ** 32));
}

function macOf32Bits(number: number): string {
	return mac(0x6c, Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number));
}

/** The link-local IPv6 address that the kernel makes of a MAC, RFC 4291 appendix A. */
export function linkLocalAddress(address: string): string {
	const octets = encodeMac(address);
	const ip = new Uint8Array(16);
	ip.set([0xfe, 0x80]);
	ip.set(octets.subarray(0, 3), 8);
	ip.set([0xff, 0xfe], 11);
	ip.set(octets.subarray(3), 13);
	ip[8] = (ip[8] ?? 0) ^ 2;
	return formatIp(ip);
}

/** Whether a MAC was made here, and was therefore given to its device for good. */
export function isOurMac(address: string): boolean {
	return OUR_MACS.includes(address.slice(0, 6));
}

function mac(kind: number, end: Uint8Array): string {
	return decodeMac(Buffer.concat([Uint8Array.of(0x02, kind), end]));
}
