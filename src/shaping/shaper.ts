// Holds the traffic of an attachment to its limits: what goes to the container where the host's end sends it, and what comes
// from it on an ifb, since a device can only delay what it sends.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import type { Attachment } from '../cni/request.ts';
import { ifbName } from '../linux/host-interface-name.ts';
import type { Connection } from '../netlink/connection.ts';
import { createIfb } from '../netlink/ifb.ts';
import { changeLink, findLink, type Link } from '../netlink/link.ts';
import type { Request } from '../netlink/message.ts';
import { isKernelError } from '../netlink/netlink-error.ts';
import { listRedirects, redirectInput } from '../netlink/redirect.ts';
import { addTokenBucket, burstPrecision, findTokenBucket } from '../netlink/token-bucket.ts';
import { bucketFor } from './bucket.ts';
import type { Limit, Limits } from './limits.ts';

/** What an attachment does in a direction, and what the kernel must have to limit that. */
const NEEDED = {
	ingress: ['receives', 'CONFIG_NET_SCH_TBF in the kernel; leave ingressRate and ingressBurst out'],
	egress: [
		'sends',
		'CONFIG_IFB, CONFIG_NET_SCH_TBF, CONFIG_NET_SCH_INGRESS, CONFIG_NET_CLS_U32 and CONFIG_NET_ACT_MIRRED in the kernel; leave egressRate and egressBurst out',
	],
} as const;

/**
 * Limits an attachment whose host's end is `port`. Returns the ifb, which gets the port's alias, when there is one. Throws
 * CniError 100 when the kernel lacks what it takes, otherwise NetlinkError.
 */
export function limit(
	host: Connection,
	port: Link,
	attachment: Attachment,
	{ ingress, egress }: Limits,
): Link | undefined {
	if (ingress !== undefined) {
		execute(host, attachment, 'ingress', addTokenBucket(port, bucketFor(ingress, port.mtu)));
	}
	if (egress === undefined) return undefined;
	const name = ifbName(attachment);
	// One datagram: a process that is killed leaves no ifb without an alias.
	const { alias, mtu } = port;
	execute(host, attachment, 'egress', createIfb(name, mtu), changeLink({ name }, { alias, up: true }));
	const ifb = findLink(host, name);
	if (ifb === undefined) throw new CniError(CniErrorCode.kernelRefused, `looking up ifb "${name}": it vanished`);
	execute(host, attachment, 'egress', addTokenBucket(ifb, bucketFor(egress, mtu)), ...redirectInput(port, ifb));
	return ifb;
}

function execute(host: Connection, attachment: Attachment, direction: 'ingress' | 'egress', ...requests: Request[]) {
	try {
		host.execute(...requests);
	} catch (error) {
		if (!isKernelError(error, 'ENOENT', 'EOPNOTSUPP') || !(error instanceof Error)) throw error;
		const { containerId, ifname } = attachment;
		const [does, needed] = NEEDED[direction];
		throw new CniError(
			CniErrorCode.kernelRefused,
			`limiting what "${ifname}" of container "${containerId}" ${does}: it takes ${needed} (${error.message})`,
			{ cause: error },
		);
	}
}

/** What is not as {@link limit} made it, in words. */
export function limitDifferences(
	host: Connection,
	port: Link,
	attachment: Attachment,
	{ ingress, egress }: Limits,
): string[] {
	const differences = ingress === undefined ? [] : bucketDifferences(host, port, ingress, port.mtu);
	if (egress === undefined) return differences;
	const name = ifbName(attachment);
	const ifb = findLink(host, name);
	if (ifb?.kind !== 'ifb') return [...differences, `ifb "${name}" is missing`];
	if (!ifb.up) differences.push(`ifb "${name}" is down`);
	if (!listRedirects(host, port).includes(ifb.index)) {
		differences.push(`what "${port.name}" receives is not redirected to "${name}"`);
	}
	return [...differences, ...bucketDifferences(host, ifb, egress, port.mtu)];
}

function bucketDifferences(host: Connection, link: Link, wanted: Limit, mtu: number): string[] {
	const bucket = bucketFor(wanted, mtu);
	const found = findTokenBucket(host, link);
	if (found === undefined) return [`"${link.name}" is not limited to ${bucket.rate * 8} bit/s`];
	const told: [string, number, number, number, string][] = [
		['rate', found.rate * 8, bucket.rate * 8, 0, 'bit/s'],
		['burst', found.burst, bucket.burst, burstPrecision(bucket), 'bytes'],
		['queue', found.queue, bucket.queue, 0, 'bytes'],
	];
	return told
		.filter(([, is, expected, precision]) => Math.abs(is - expected) > precision)
		.map(([what, is, expected, , unit]) => `"${link.name}" has a ${what} of ${is} ${unit} instead of ${expected}`);
}
