// A device in its role as a port of a bridge. include/uapi/linux/if_link.h, IFLA_BRPORT_*

import { type Attribute, type Attributes, decodeNumber, nested, text, u8 } from './attribute.ts';
import { IFLA_INFO_SLAVE_DATA, IFLA_INFO_SLAVE_KIND, IFLA_LINKINFO } from './link-message.ts';

const IFLA_BRPORT_STATE = 1;
const IFLA_BRPORT_MODE = 4;
const IFLA_BRPORT_ISOLATED = 33;

/** include/uapi/linux/if_bridge.h */
const BR_STATE_FORWARDING = 3;

export interface BridgePort {
	/** Whether the bridge sends and takes packets through this port. */
	readonly forwarding: boolean;
	/** Whether a packet may leave by the port on which it came. */
	readonly hairpin: boolean;
	/** Whether the port talks only to ports that are not isolated, and to the bridge itself. */
	readonly isolated: boolean;
}

/** The attribute that sets a port's options, for a link message that is about the port. */
export function bridgePort(options: { readonly hairpin: boolean; readonly isolated: boolean }): Attribute {
	const data = [u8(IFLA_BRPORT_MODE, Number(options.hairpin))];
	// Kernels before 4.18 refuse the option, so it is named only when it is wanted.
	if (options.isolated) data.push(u8(IFLA_BRPORT_ISOLATED, 1));
	return nested(IFLA_LINKINFO, text(IFLA_INFO_SLAVE_KIND, 'bridge'), nested(IFLA_INFO_SLAVE_DATA, ...data));
}

/** Reads IFLA_INFO_SLAVE_DATA of a port. */
export function decodeBridgePort(data: Attributes): BridgePort {
	return {
		forwarding: decodeNumber(data, IFLA_BRPORT_STATE) === BR_STATE_FORWARDING,
		hairpin: decodeNumber(data, IFLA_BRPORT_MODE) === 1,
		isolated: decodeNumber(data, IFLA_BRPORT_ISOLATED) === 1,
	};
}
