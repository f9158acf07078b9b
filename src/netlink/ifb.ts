// Intermediate functional blocks: devices that hand what they are to send back to where it came from, when it is its turn.
// drivers/net/ifb.c

import { type Attribute, nested, text, u32 } from './attribute.ts';
import type { Connection } from './connection.ts';
import { decodeLink, type Link } from './link.ts';
import { ifinfomsg, IFLA_IFNAME, IFLA_INFO_KIND, IFLA_LINKINFO, IFLA_MTU, RTM_NEWLINK } from './link-message.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts';

const RTM_GETLINK = 18;

function ofKind(): Attribute {
	return nested(IFLA_LINKINFO, text(IFLA_INFO_KIND, 'ifb'));
}

/** Creates such a device, which is down. `EEXIST` when any device has the name, `EOPNOTSUPP` when the kernel has none. */
export function createIfb(name: string, mtu: number): Request {
	return {
		operation: `creating ifb "${name}"`,
		type: RTM_NEWLINK,
		flags: NLM_F_CREATE | NLM_F_EXCL,
		fixed: ifinfomsg(),
		attributes: [text(IFLA_IFNAME, name), u32(IFLA_MTU, mtu), ofKind()],
	};
}

/** All such devices of this namespace. */
export function listIfbs(connection: Connection): Link[] {
	return connection
		.dump({
			operation: 'listing ifb interfaces',
			type: RTM_GETLINK,
			flags: 0,
			fixed: ifinfomsg(),
			attributes: [ofKind()],
		})
		.map(decodeLink)
		.filter((link) => link.kind === 'ifb');
}
