import test from 'ava';
import fc from 'fast-check';
import { text, u32 } from '../../src/netlink/attribute.ts';
import {
	decodeAcknowledgement,
	decodeMessages,
	encodeMessage,
	type Message,
	NLM_F_ACK,
	NLM_F_DUMP,
	NLMSG_DONE,
	NLMSG_ERROR,
} from '../../src/netlink/message.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import { acknowledgement, failingDump, message, refusal } from '../helpers/fake-kernel.ts';
import { decodesOrRefuses, survivesGarbage } from './damage.ts';

const request = {
	operation: 'asking',
	type: 18,
	flags: 0,
	fixed: Buffer.alloc(16),
	attributes: [text(3, 'lo'), u32(29, 8)],
};

test('a request is a header, the fixed part and the attributes', (t) => {
	t.is(
		encodeMessage(request, 0x01020304, NLM_F_ACK).toString('hex'),
		'30000000' +
			'1200' +
			'0500' +
			'04030201' +
			'00000000' +
			'00'.repeat(16) +
			'070003006c6f0000' +
			'08001d0008000000',
	);
});

test('flags of the request and of the conversation are joined', (t) => {
	t.is(encodeMessage({ ...request, flags: 0x600 }, 1, NLM_F_ACK).readUInt16LE(6), 0x605);
	t.is(encodeMessage(request, 1, NLM_F_DUMP).readUInt16LE(6), 0x301);
});

test('messages come back, several from one datagram', (t) => {
	const any = fc.array(
		fc.record({
			type: fc.nat(0xffff),
			flags: fc.nat(0xffff),
			sequence: fc.nat(0xffffffff),
			payload: fc.uint8Array({ maxLength: 60 }).map((each) => Buffer.from(each)),
		}),
		{ maxLength: 5 },
	);
	const property = fc.property(any, (messages) => {
		const datagram = Buffer.concat(messages.map((each) => message(each, each.type, each.payload, each.flags)));
		t.deepEqual(decodeMessages(datagram), messages);
	});
	fc.assert(property);
});

test('a datagram that is cut off is refused, except between messages', (t) => {
	const first = message({ sequence: 1 }, 16, Buffer.from('abcde'));
	const datagram = Buffer.concat([first, message({ sequence: 1 }, 16, Buffer.alloc(20))]);
	for (let length = 0; length < datagram.length; length++) {
		const cut = datagram.subarray(0, length);
		// The first has 21 bytes, and three of padding.
		const isBetween = length === 0 || (length >= 21 && length <= 24);
		t.is(decodesOrRefuses(t, decodeMessages, cut), isBetween, `${length} bytes`);
	}
	const error = t.throws(() => decodeMessages(datagram.subarray(0, 30)), { instanceOf: NetlinkError });
	t.is(error.message, 'decoding a netlink message: truncated at byte 24 of 30 (EBADMSG)');
});

test('random datagrams are decoded or refused', (t) => {
	const decode = (datagram: Buffer) =>
		decodeMessages(datagram).map((each) => decodeAcknowledgement({ ...each, type: NLMSG_ERROR }, 'x'));
	survivesGarbage(
		t,
		decode,
		refusal({ type: 16, flags: 5, sequence: 1, payload: Buffer.alloc(20) }, 'EEXIST', {
			text: 'no',
			uncapped: true,
		}),
	);
});

const asked: Message = { type: 16, flags: 5, sequence: 1, payload: Buffer.from('0000000000000000ff', 'hex') };
function said(datagram: Buffer): NetlinkError | undefined {
	return decodeAcknowledgement(decodeMessages(datagram)[0]!, 'creating bridge "b"');
}

test('an error of 0 is an acknowledgement', (t) => {
	t.is(said(acknowledgement(asked)), undefined);
	t.is(said(message(asked, NLMSG_DONE, Buffer.alloc(4))), undefined);
	t.is(said(message(asked, NLMSG_DONE)), undefined, 'without the number, as old kernels end a dump');
});

const refusals = {
	'an error by its name': [refusal(asked, 'EEXIST'), 'creating bridge "b": EEXIST', 'EEXIST'],
	'the extended acknowledgement, capped': [
		refusal(asked, 'EINVAL', { text: 'invalid MTU' }),
		'creating bridge "b": invalid MTU (EINVAL)',
		'EINVAL',
	],
	'the extended acknowledgement behind the whole request': [
		refusal(asked, 'EINVAL', { text: 'invalid MTU', uncapped: true }),
		'creating bridge "b": invalid MTU (EINVAL)',
		'EINVAL',
	],
	'the whole request without an explanation': [
		refusal(asked, 'EPERM', { uncapped: true }),
		'creating bridge "b": EPERM',
		'EPERM',
	],
	'an empty explanation': [refusal(asked, 'EPERM', { text: '' }), 'creating bridge "b": EPERM', 'EPERM'],
	'the end of a dump': [failingDump(asked, 'EOPNOTSUPP'), 'creating bridge "b": EOPNOTSUPP', 'EOPNOTSUPP'],
	'the end of a dump, explained': [
		failingDump(asked, 'EINVAL', 'no such thing'),
		'creating bridge "b": no such thing (EINVAL)',
		'EINVAL',
	],
	'no number at all': [
		message(asked, NLMSG_ERROR, Buffer.alloc(3)),
		'creating bridge "b": truncated acknowledgement (EBADMSG)',
		'EBADMSG',
	],
} as const;

for (const [title, [datagram, text, code]] of Object.entries(refusals)) {
	test(`a refusal is read: ${title}`, (t) => {
		const error = said(datagram);
		t.is(error?.message, text);
		t.is(error?.code, code);
	});
}

const answers = {
	'an acknowledgement': ['240000000200000101000000903200000000000020000000100005000100000000000000', undefined],
	'no, to a bridge with a multicast address': [
		'240000000200000101000000903200009dffffff4c000000100005060100000000000000',
		'creating bridge "b": EADDRNOTAVAIL',
	],
	'no, to an MTU of 10': [
		'48000000020000030100000090320000eaffffff28000000100005000100000000000000210001006d7475206c657373207468616e20646576696365206d696e696d756d00000000',
		'creating bridge "b": mtu less than device minimum (EINVAL)',
	],
	'the same without NETLINK_CAP_ACK': [
		'6000000002000002010000008a11f6daeaffffff2800000010000500010000000000000000000000020000000000000000000000080004000a000000210001006d7475206c657373207468616e20646576696365206d696e696d756d00000000',
		'creating bridge "b": mtu less than device minimum (EINVAL)',
	],
} as const;

for (const [title, [hex, text]] of Object.entries(answers)) {
	test(`what Linux 6.18 answered: ${title}`, (t) => t.is(said(Buffer.from(hex, 'hex'))?.message, text));
}

test('an explanation that is cut off is refused like everything else', (t) => {
	const datagram = refusal(asked, 'EINVAL', { text: 'a long explanation', uncapped: true });
	const { payload, ...rest } = decodeMessages(datagram)[0]!;
	for (let length = 0; length < payload.length; length++) {
		const error = (() => {
			try {
				return decodeAcknowledgement({ ...rest, payload: payload.subarray(0, length) }, 'x');
			} catch (thrown) {
				return thrown;
			}
		})();
		t.true(error instanceof NetlinkError, `${length} bytes: ${error}`);
	}
});
