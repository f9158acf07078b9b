// The tunnel end point (VTEP) of an agent: what is the same on all of them, and the MAC address that follows from its address.

import type { Mistake } from './subnet-text.ts';

/** The VXLAN device of every agent, RFC 7348; as the original has it. */
export const VTEP = { name: 'vtep1024', vni: 1024, port: 64_000 } as const;

/** A VTEP's MAC address has the last 24 bits of its IPv4 address: in a longer range, two could be the same. */
export const SHORTEST_VTEP_PREFIX = 8;

/** The bit of a MAC address's first byte that makes it one of a group, IEEE 802 §8.2. */
const GROUP_BIT = 0x01;

/** Why a text cannot be the beginning of all VTEPs' MAC addresses; undefined when it can. */
export function findMacOuiMistake(text: string): Mistake | undefined {
	const right = 'write three bytes and three zeros, such as "70:B3:D5:00:00:00"';
	if (!/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) return { wrong: `"${text}" is no MAC address`, right };
	if (!text.endsWith(':00:00:00')) return { wrong: `the last three bytes of "${text}" are not zero`, right };
	if (Number.parseInt(text, 16) & GROUP_BIT) {
		return { wrong: `"${text}" is for groups, its first byte is odd`, right: 'make its first byte even' };
	}
	return undefined;
}

/** The original's least MTU, and IPv6's (RFC 8200 §5). */
const LEAST_MTU = 552;
const LEAST_MTU_IPV6 = 1280;
/** 65535 without the headers of Ethernet, IPv6, UDP and VXLAN. */
const LARGEST_MTU = 65_465;

/** Why a number of bytes cannot be the MTU of VTEPs and bridges; undefined when it can. */
export function findMtuMistake(mtu: number, hasIpv6: boolean): Mistake | undefined {
	const least = hasIpv6 ? LEAST_MTU_IPV6 : LEAST_MTU;
	if (mtu >= least && mtu <= LARGEST_MTU) return undefined;
	const right = `write a number from ${least} to ${LARGEST_MTU}, or leave it out: agents then compute it`;
	return { wrong: `${mtu} is no MTU that works here`, right };
}

/** The MAC address of the VTEP that has an IPv4 address: the three bytes of the OUI, and the last three of the address. */
export function vtepMac(macOui: string, ipv4: bigint): string {
	const end = [16n, 8n, 0n].map((shift) => ((ipv4 >> shift) & 0xffn).toString(16).padStart(2, '0'));
	return [macOui.slice(0, 8).toLowerCase(), ...end].join(':');
}
