// Decides on the token bucket that holds a device to a limit. docs/architecture.md has the measurements behind the numbers.

import type { TokenBucket } from '../netlink/token-bucket.ts';
import type { Limit } from './limits.ts';

/** Seconds that a packet may wait behind others. */
const LONGEST_WAIT = 0.025;
/** TCP does not come up to the rate with a shorter queue, at a rate so low that these take longer. */
const FEWEST_PACKETS = 5;
/** Seconds of the rate that may go at once at least, since the kernel's timers are late by some part of that. */
const SHORTEST_BURST = 0.001;

/** Ethernet's header, and two VLAN tags. */
const LINK_HEADERS = 14 + 8;
/** The largest packet of many segments, include/linux/netdevice.h: GSO_MAX_SIZE. */
const LARGEST_PACKET = 8 * 65_535;
const UINT32_MAX = 2 ** 32 - 1;

/**
 * The bucket for a limit, on a device with this MTU. Bursts of less than a packet, with which nothing would pass, are
 * raised. The queue holds 25 ms of the rate, whatever the burst, and packets of many segments go into it in parts that it
 * has room for: one of 64 KiB at once would wait long, or find no room, ever.
 */
export function bucketFor({ rate: bitRate, burst: bits }: Limit, mtu: number): TokenBucket {
	const rate = Math.max(1, Math.floor(bitRate / 8));
	const packet = mtu + LINK_HEADERS;
	const burst = Math.max(Math.floor(bits / 8), packet, Math.floor(rate * SHORTEST_BURST));
	const queue = Math.max(Math.floor(rate * LONGEST_WAIT), FEWEST_PACKETS * packet);
	const part = Math.floor(queue / FEWEST_PACKETS);
	return {
		rate,
		burst: Math.min(burst, UINT32_MAX),
		queue: Math.min(queue, UINT32_MAX),
		largestPacket: part < Math.min(burst, LARGEST_PACKET) ? part : undefined,
	};
}
