// The elements of sets as the kernel has them.

import { parseCidr, lastOf, networkOf } from '../ip/cidr.ts';
import { type Element, simpleInterval } from '../netlink/nf-element.ts';
import { encodeFields, type FieldValue } from '../netlink/nf-field.ts';
import type { SetElement } from './elements.ts';
import type { Protocol } from './port-mappings.ts';
import { type SetName, type SetShape, shapeOf } from './sets.ts';

/** By name, include/uapi/linux/in.h. */
export const PROTOCOL_NUMBERS = { tcp: 6, udp: 17, sctp: 132 } as const satisfies Record<Protocol, number>;

/** Several elements of one set, as the kernel has them. */
export interface Group {
	readonly set: SetName;
	readonly elements: readonly Element[];
}

/** Elements by their sets, each with the comment that says whose it is. An interval in a set of single keys is two. */
export function groupBySet(elements: readonly SetElement[], comment?: string): Group[] {
	const groups = new Map<SetName, Element[]>();
	for (const element of elements) {
		const group = groups.get(element.set) ?? [];
		group.push(...encodeElement(element, comment));
		groups.set(element.set, group);
	}
	return [...groups].map(([set, grouped]) => ({ set, elements: grouped }));
}

/** The first of what the kernel has for an element: by its key it is found. */
export function keyOf(element: SetElement): Element {
	return encodeElement(element)[0] ?? { key: new Uint8Array(0) };
}

function encodeElement({ set, key, data }: SetElement, comment?: string): Element[] {
	const shape = shapeOf(set);
	const whose = comment === undefined ? {} : { comment };
	if (shape.intervals === true) return encodeInterval(shape, key, whose);
	const encoded = encodeFields(shape.key, valuesOf(shape.key, key));
	if (data === undefined || shape.data === undefined) return [{ key: encoded, ...whose }];
	return [{ key: encoded, data: encodeFields(shape.data, valuesOf(shape.data, data)), ...whose }];
}

function encodeInterval(shape: SetShape, key: SetElement['key'], whose: { readonly comment?: string }): Element[] {
	const cidrs = key.map((text) => parseCidr(String(text)) ?? { ip: new Uint8Array(0), prefix: 0 });
	const first = encodeFields(shape.key, cidrs.map(networkOf));
	const last = encodeFields(shape.key, cidrs.map(lastOf));
	return cidrs.length === 1 ? simpleInterval(first, last, whose.comment) : [{ key: first, keyEnd: last, ...whose }];
}

function valuesOf(types: SetShape['key'], values: SetElement['key']): FieldValue[] {
	const numbers: Readonly<Record<string, number>> = PROTOCOL_NUMBERS;
	const own: FieldValue[] = [];
	for (const value of values) {
		const isProtocol = types[own.length] === 'inet_proto';
		own.push(isProtocol ? (numbers[value] ?? value) : value);
	}
	return own;
}
