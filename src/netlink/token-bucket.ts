// The token bucket filter, a queueing discipline that holds a device's output to a rate. include/uapi/linux/pkt_sched.h

import { type Attribute, type Attributes, bytes, decodeBytes, decodeNested, decodeText, u32 } from './attribute.ts';
import type { Connection } from './connection.ts';
import type { Link } from './link.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts';
import { isKernelError, NetlinkError } from './netlink-error.ts';
import { decodeTrafficControl, kindOf, TCA_KIND, TCA_OPTIONS, tcmsg } from './traffic-control.ts';

const RTM_NEWQDISC = 36;
const RTM_GETQDISC = 38;
/** Older kernels answer to whoever listens to changes; to the one who asks, only with this. */
const NLM_F_ECHO = 0x8;

const TC_H_ROOT = 0xffffffff;
const HANDLE = 0x1_0000;

const TCA_TBF_PARMS = 1;
const TCA_TBF_RATE64 = 4;
const TCA_TBF_PRATE64 = 5;
const TCA_TBF_BURST = 6;
const TCA_TBF_PBURST = 7;

const TC_LINKLAYER_ETHERNET = 1;

/** Struct tc_tbf_qopt: two of struct tc_ratespec, then limit, buffer and mtu. */
const PARAMETERS_LENGTH = 36;
const RATE_OFFSET = 8;
const PEAK_OFFSET = 12;
const LIMIT_OFFSET = 24;
const BUFFER_OFFSET = 28;

/** The kernel's unit of time in these messages is 64 ns (PSCHED_SHIFT). */
const TICKS_PER_SECOND = 15_625_000;

const UINT32 = 2 ** 32;

/** A peak rate at which half a megabyte, the largest packet there is, takes less than the nanosecond that can be counted. */
const UNLIMITED = 10 ** 15;

export interface TokenBucket {
	/** Bytes a second. */
	readonly rate: number;
	/** Bytes that go at once when nothing went for a while. A larger packet is dropped, or taken apart if it is of many segments. */
	readonly burst: number;
	/** How many bytes may wait for their turn; the next packet is dropped. */
	readonly queue: number;
	/** Packets of many segments (GSO) that have more bytes are taken apart, whatever the burst. Undefined: none. */
	readonly largestPacket?: number | undefined;
}

/** What the kernel tells of a token bucket. */
export interface TokenBucketState {
	readonly rate: number;
	/** Known by the time in which it fills, to {@link burstPrecision}. */
	readonly burst: number;
	readonly queue: number;
}

/** Has the output of a device pass a token bucket. `ENOENT` when the kernel has none, `EEXIST` for another discipline. */
export function addTokenBucket(link: Pick<Link, 'index' | 'name'>, bucket: TokenBucket): Request {
	const { rate, burst, queue, largestPacket } = bucket;
	const parameters = Buffer.alloc(PARAMETERS_LENGTH);
	const view = new DataView(parameters.buffer, parameters.byteOffset);
	setRate(view, 0, rate);
	view.setUint32(LIMIT_OFFSET, queue, true);
	view.setUint32(BUFFER_OFFSET, Math.min(Math.floor((burst * TICKS_PER_SECOND) / rate), UINT32 - 1), true);
	const options = [u32(TCA_TBF_BURST, burst)];
	if (rate >= UINT32) options.push(u64(TCA_TBF_RATE64, rate));
	if (largestPacket !== undefined) {
		// The kernel takes apart what is larger than either burst, and the peak rate, which limits nothing, has one, too.
		setRate(view, PEAK_OFFSET, UNLIMITED);
		options.push(u64(TCA_TBF_PRATE64, UNLIMITED), u32(TCA_TBF_PBURST, largestPacket));
	}
	return {
		operation: `limiting the output of "${link.name}" to ${rate * 8} bit/s`,
		type: RTM_NEWQDISC,
		flags: NLM_F_CREATE | NLM_F_EXCL,
		fixed: tcmsg(link, { handle: HANDLE, parent: TC_H_ROOT }),
		attributes: kindOf('tbf', bytes(TCA_TBF_PARMS, parameters), ...options),
	};
}

/** The token bucket that a device's output passes, or undefined when there is none. */
export function findTokenBucket(
	connection: Connection,
	link: Pick<Link, 'index' | 'name'>,
): TokenBucketState | undefined {
	try {
		return decodeTokenBucket(
			connection.get({
				operation: `asking for the queueing discipline of "${link.name}"`,
				type: RTM_GETQDISC,
				flags: NLM_F_ECHO,
				fixed: tcmsg(link, { parent: TC_H_ROOT }),
				attributes: [],
			}),
		);
	} catch (error) {
		if (isKernelError(error, 'ENOENT')) return undefined;
		throw error;
	}
}

/** Decodes RTM_NEWQDISC: undefined for another kind of discipline. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeTokenBucket(payload: Buffer): TokenBucketState | undefined {
	const attributes = decodeTrafficControl(payload);
	if (decodeText(attributes, TCA_KIND) !== 'tbf') return undefined;
	const options = decodeNested(attributes, TCA_OPTIONS);
	const parameters = decodeBytes(options, TCA_TBF_PARMS);
	if (parameters === undefined || parameters.length < PARAMETERS_LENGTH) {
		throw new NetlinkError('decoding a token bucket', 'EBADMSG', 'truncated');
	}
	const view = new DataView(parameters.buffer, parameters.byteOffset);
	const rate = decodeU64(options, TCA_TBF_RATE64) ?? view.getUint32(RATE_OFFSET, true);
	const ticks = view.getUint32(BUFFER_OFFSET, true);
	return { rate, burst: Math.round((ticks * rate) / TICKS_PER_SECOND), queue: view.getUint32(LIMIT_OFFSET, true) };
}

/** How exactly the kernel tells the burst of a bucket, in bytes. */
export function burstPrecision({ burst, rate }: TokenBucket): number {
	const isTold = (burst * TICKS_PER_SECOND) / rate < UINT32;
	return isTold ? 1 + Math.ceil(rate / TICKS_PER_SECOND) : Infinity;
}

/** Struct tc_ratespec. What does not fit into its 32 bits stands in an attribute of its own. */
function setRate(view: DataView, offset: number, rate: number): void {
	view.setUint8(offset + 1, TC_LINKLAYER_ETHERNET);
	view.setUint32(offset + RATE_OFFSET, Math.min(rate, UINT32 - 1), true);
}

function u64(type: number, value: number): Attribute {
	const encoded = new Uint8Array(8);
	const view = new DataView(encoded.buffer);
	view.setUint32(0, value % UINT32, true);
	view.setUint32(4, Math.floor(value / UINT32), true);
	return bytes(type, encoded);
}

function decodeU64(attributes: Attributes, type: number): number | undefined {
	const encoded = decodeBytes(attributes, type);
	if (encoded?.length !== 8) return undefined;
	const view = new DataView(encoded.buffer, encoded.byteOffset);
	return view.getUint32(4, true) * UINT32 + view.getUint32(0, true);
}
