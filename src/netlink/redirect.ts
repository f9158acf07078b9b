// What a device receives, sent out by another device instead. include/uapi/linux/pkt_cls.h, tc_act/tc_mirred.h

import { type Attribute, bytes, decodeBytes, decodeNested, decodeText, nested, text } from './attribute.ts';
import type { Connection } from './connection.ts';
import type { Link } from './link.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts';
import { decodeTrafficControl, kindOf, TCA_KIND, TCA_OPTIONS, tcmsg } from './traffic-control.ts';

const RTM_NEWQDISC = 36;
const RTM_NEWTFILTER = 44;
const RTM_GETTFILTER = 46;

const TC_H_INGRESS = 0xfffffff1;
const INGRESS_HANDLE = 0xffff0000;

const PRIORITY = 1;
/** Every kind of packet, ARP and VLAN tags included; linux/if_ether.h, in network byte order. */
const ETH_P_ALL_BE = 0x0300;

const TCA_U32_SEL = 5;
const TCA_U32_ACT = 7;
const TC_U32_TERMINAL = 1;

const FIRST_ACTION = 1;
const TCA_ACT_KIND = 1;
const TCA_ACT_OPTIONS = 2;
const TCA_MIRRED_PARMS = 2;
const TC_ACT_STOLEN = 4;
const TCA_EGRESS_REDIR = 1;

/** Struct tc_mirred: index, capab, action, refcnt, bindcnt, eaction, ifindex. */
const MIRRED_LENGTH = 28;
const MIRRED_ACTION = 8;
const MIRRED_DIRECTION = 20;
const MIRRED_DEVICE = 24;

/**
 * Has all that `from` receives sent out by `to`. The filter is u32 with a key that matches anything, since `matchall` is
 * not in every kernel. `ENOENT` when the kernel lacks a part.
 */
export function redirectInput(from: Pick<Link, 'index' | 'name'>, to: Pick<Link, 'index' | 'name'>): Request[] {
	const operation = `redirecting what "${from.name}" receives to "${to.name}"`;
	return [
		{
			operation,
			type: RTM_NEWQDISC,
			flags: NLM_F_CREATE | NLM_F_EXCL,
			fixed: tcmsg(from, { handle: INGRESS_HANDLE, parent: TC_H_INGRESS }),
			attributes: kindOf('ingress'),
		},
		{
			operation,
			type: RTM_NEWTFILTER,
			flags: NLM_F_CREATE | NLM_F_EXCL,
			fixed: tcmsg(from, { parent: INGRESS_HANDLE, info: PRIORITY * 0x1_0000 + ETH_P_ALL_BE }),
			attributes: kindOf(
				'u32',
				nested(TCA_U32_ACT, nested(FIRST_ACTION, text(TCA_ACT_KIND, 'mirred'), mirred(to))),
				matchAnything(),
			),
		},
	];
}

function mirred({ index }: Pick<Link, 'index'>): Attribute {
	const parameters = Buffer.alloc(MIRRED_LENGTH);
	const view = new DataView(parameters.buffer, parameters.byteOffset);
	view.setInt32(MIRRED_ACTION, TC_ACT_STOLEN, true);
	view.setInt32(MIRRED_DIRECTION, TCA_EGRESS_REDIR, true);
	view.setUint32(MIRRED_DEVICE, index, true);
	return nested(TCA_ACT_OPTIONS, bytes(TCA_MIRRED_PARMS, parameters));
}

/** Struct tc_u32_sel with one key, whose mask and value are zero. */
function matchAnything(): Attribute {
	const selector = Buffer.alloc(32);
	selector[0] = TC_U32_TERMINAL;
	selector[2] = 1;
	return bytes(TCA_U32_SEL, selector);
}

/** The indices of the devices to which all that a device receives is redirected. */
export function listRedirects(connection: Connection, from: Pick<Link, 'index' | 'name'>): number[] {
	return connection
		.dump({
			operation: `listing the filters of "${from.name}"`,
			type: RTM_GETTFILTER,
			flags: 0,
			fixed: tcmsg(from, { parent: INGRESS_HANDLE }),
			attributes: [],
		})
		.map(decodeRedirect)
		.filter((device) => device !== undefined);
}

/** Decodes RTM_NEWTFILTER: the device's index, or undefined for another filter. Throws NetlinkError `EBADMSG`. */
export function decodeRedirect(payload: Buffer): number | undefined {
	const attributes = decodeTrafficControl(payload);
	if (decodeText(attributes, TCA_KIND) !== 'u32') return undefined;
	const actions = decodeNested(decodeNested(attributes, TCA_OPTIONS), TCA_U32_ACT);
	const action = decodeNested(actions, FIRST_ACTION);
	if (decodeText(action, TCA_ACT_KIND) !== 'mirred') return undefined;
	const parameters = decodeBytes(decodeNested(action, TCA_ACT_OPTIONS), TCA_MIRRED_PARMS);
	if (parameters === undefined || parameters.length < MIRRED_LENGTH) return undefined;
	const view = new DataView(parameters.buffer, parameters.byteOffset);
	const redirects = view.getInt32(MIRRED_DIRECTION, true) === TCA_EGRESS_REDIR;
	return redirects ? view.getUint32(MIRRED_DEVICE, true) : undefined;
}
