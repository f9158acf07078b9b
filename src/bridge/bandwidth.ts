// The limits of an attachment's bandwidth, as a part of what ADD makes and DEL removes.

import type { Attachment, Request } from '../cni/request.ts';
import { deviceExists } from '../linux/device.ts';
import { ifbName } from '../linux/host-interface-name.ts';
import type { Connection } from '../netlink/connection.ts';
import { deleteLink, findLink, type Link } from '../netlink/link.ts';
import type { Limits } from '../shaping/limits.ts';
import { limit } from '../shaping/shaper.ts';
import { belongsToAnotherNetwork } from './names.ts';
import type { Undo } from './undo.ts';

/** Limits the attachment of a port. Returns the ifb when there is one. Throws CniError 100, NetlinkError. */
export function limitBandwidth(
	host: Connection,
	port: Link,
	attachment: Attachment,
	limits: Limits,
	undo: Undo,
): Link | undefined {
	const name = ifbName(attachment);
	undo(`ifb "${name}"`, () => {
		const ifb = findLink(host, name);
		if (ifb !== undefined) deleteLink(host, ifb);
	});
	return limit(host, port, attachment, limits);
}

/**
 * Removes the ifb of an attachment; the other limits go with the port. It is looked for whatever the configuration says,
 * and the port cannot tell: it may have gone with the container's namespace.
 */
export function removeIfb(host: Connection, request: Request): void {
	const name = ifbName(request);
	if (!mayExist(name)) return;
	const ifb = findLink(host, name);
	if (ifb === undefined || belongsToAnotherNetwork(ifb.alias, request.configuration.name)) return;
	deleteLink(host, ifb);
}

/** Hardly any attachment has one, and netlink takes 0.4 ms of a cold process to say that there is none. */
function mayExist(name: string): boolean {
	try {
		return deviceExists(name);
	} catch {
		return true;
	}
}
