// The chain FORWARD of the table filter as the kernel's older iptables has it, the one beside nf_tables: read, not changed.
// include/uapi/linux/netfilter/x_tables.h, netfilter_ipv4/ip_tables.h, netfilter_ipv6/ip6_tables.h

import { errno, getsockopt, socket } from '#libc';
import { SystemCallError } from '../linux/errno.ts';
import { closeFile } from '../linux/files.ts';
import { type BridgedNetwork, familiesOf, type ForwardRule, hasLegacyFilter, rulesFor } from './forward-policy.ts';
import type { Family } from './port-mappings.ts';

const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const IPPROTO_RAW = 255;
/** IPT_SO_GET_INFO and IPT_SO_GET_ENTRIES; those of IPv6 have the same numbers. */
const GET_INFO = 64;
const GET_ENTRIES = 65;

/** AF_INET and IPPROTO_IP, or AF_INET6 and IPPROTO_IPV6; where an entry of the family has what. */
const FAMILIES = {
	4: { domain: 2, level: 0, device: 16, protocol: 80, inversions: 83, targetOffset: 88, header: 112 },
	6: { domain: 10, level: 41, device: 64, protocol: 128, inversions: 132, targetOffset: 140, header: 168 },
} as const;

/** Of reading a table that others are changing. */
const MOST_TRIES = 8;

const NAME_LENGTH = 32;
const DEVICE_LENGTH = 16;
/** struct ipt_getinfo; hook_entry and underflow have a number for each hook, NF_INET_FORWARD is the third. */
const INFO_LENGTH = 84;
const INFO_ENTRY = 36 + 2 * 4;
const INFO_UNDERFLOW = 56 + 2 * 4;
const INFO_SIZE = 80;
/** struct ipt_get_entries, before its entries. */
const ENTRIES_HEADER = 40;

/** struct xt_standard_target: the name is empty, and the verdict is -1 less what NF_DROP and NF_ACCEPT are. */
const TARGET_NAME = 2;
const TARGET_VERDICT = 32;
const DROP = -1;
const ACCEPT = -2;

/** A rule that looks at nothing but interfaces, and its verdict. */
interface DeviceRule {
	/** As the kernel compares it: with its zero, or it would be the beginning of several. */
	readonly in: string;
	readonly out: string;
	readonly verdict: number;
}

interface ForwardChain {
	readonly policy: 'accept' | 'drop';
	/** Of the rules, those that look at nothing but interfaces. */
	readonly rules: readonly DeviceRule[];
}

/** The chain in the current network namespace; the table comes into being by being asked for. Throws SystemCallError. */
function readForwardChain(family: Family): ForwardChain {
	const { domain, level } = FAMILIES[family];
	const descriptor = socket(domain, SOCK_RAW_CLOEXEC, IPPROTO_RAW);
	if (descriptor === -1) throw new SystemCallError('opening a raw socket', errno());
	const ask = (option: number, answer: Buffer): Buffer => {
		answer.write('filter');
		const length = new Uint32Array([answer.length]);
		if (getsockopt(descriptor, level, option, answer, length) === 0) return answer;
		throw new SystemCallError('reading table filter of the older iptables', errno());
	};
	try {
		for (let tries = 1; ; tries++) {
			const info = ask(GET_INFO, Buffer.alloc(INFO_LENGTH));
			const entries = Buffer.alloc(ENTRIES_HEADER + info.readUInt32LE(INFO_SIZE));
			entries.writeUInt32LE(info.readUInt32LE(INFO_SIZE), NAME_LENGTH);
			try {
				return decodeForwardChain(family, info, ask(GET_ENTRIES, entries).subarray(ENTRIES_HEADER));
			} catch (error) {
				// Somebody has changed the table meanwhile.
				if (!(error instanceof SystemCallError) || error.code !== 'EAGAIN' || tries === MOST_TRIES) throw error;
			}
		}
	} finally {
		closeFile(descriptor);
	}
}

function decodeForwardChain(family: Family, info: Buffer, entries: Buffer): ForwardChain {
	const { targetOffset } = FAMILIES[family];
	const underflow = info.readUInt32LE(INFO_UNDERFLOW);
	const rules: DeviceRule[] = [];
	for (let offset = info.readUInt32LE(INFO_ENTRY); offset < underflow;) {
		const entry = entries.subarray(offset);
		rules.push(...decodeRule(family, entry));
		offset += entry.readUInt16LE(targetOffset + 2);
	}
	const policy = verdictOf(family, entries.subarray(underflow));
	return { policy: policy === DROP ? 'drop' : 'accept', rules };
}

function decodeRule(family: Family, entry: Buffer): DeviceRule[] {
	const { device, protocol, inversions, targetOffset, header } = FAMILIES[family];
	// Addresses come before the interfaces, protocol and flags behind them, and matches between the header and the target.
	const others = [...entry.subarray(0, device), ...entry.subarray(protocol, inversions + 1)];
	const looksFurther = others.some((byte) => byte !== 0) || entry.readUInt16LE(targetOffset) !== header;
	const verdict = verdictOf(family, entry);
	if (looksFurther || verdict === undefined) return [];
	const compared = (at: number): string => {
		const mask = entry.subarray(at + 2 * DEVICE_LENGTH, at + 3 * DEVICE_LENGTH);
		return entry.toString('latin1', at, at + mask.filter((byte) => byte !== 0).length);
	};
	return [{ in: compared(device), out: compared(device + DEVICE_LENGTH), verdict }];
}

function verdictOf(family: Family, entry: Buffer): number | undefined {
	const target = entry.subarray(entry.readUInt16LE(FAMILIES[family].targetOffset));
	return target[TARGET_NAME] === 0 ? target.readInt32LE(TARGET_VERDICT) : undefined;
}

/** The rules that are needed and missing in the older iptables. Throws SystemCallError. */
export function missingInLegacy(network: BridgedNetwork): ForwardRule[] {
	return familiesOf(network).flatMap((family) => {
		if (!hasLegacyFilter(family)) return [];
		const chain = readForwardChain(family);
		return chain.policy === 'drop' ? rulesFor('legacy', family, network).filter((rule) => !has(chain, rule)) : [];
	});
}

function has({ rules }: ForwardChain, { direction, bridge }: ForwardRule): boolean {
	const wanted = { in: '', out: '', [direction]: `${bridge}\0` };
	return rules.some((rule) => rule.in === wanted.in && rule.out === wanted.out && rule.verdict === ACCEPT);
}
