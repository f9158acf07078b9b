import test from 'ava';
import fc from 'fast-check';
import { parseCniArguments } from '../../src/cni/cni-arguments.ts';
import { CniError } from '../../src/cni/errors.ts';
import { refuses } from './assertions.ts';

for (const [text, pairs] of [
	['', {}],
	['IP=9.0.1.2', { IP: '9.0.1.2' }],
	[
		'IP=9.0.1.2;MAC=02:00:00:00:00:01;GATEWAY=9.0.1.1',
		{ IP: '9.0.1.2', MAC: '02:00:00:00:00:01', GATEWAY: '9.0.1.1' },
	],
	['IP=;MAC=', { IP: '', MAC: '' }],
	['IP=1;IP=2', { IP: '2' }],
	['IgnoreUnknown=1;K8S_POD_NAME=a', { K8S_POD_NAME: 'a' }],
	['K8S_POD_NAME=a;IgnoreUnknown=TRUE;IP=9.0.1.2', { K8S_POD_NAME: 'a', IP: '9.0.1.2' }],
	['IgnoreUnknown=False;IP=9.0.1.2', { IP: '9.0.1.2' }],
] as const) {
	test(`read: "${text}"`, (t) => {
		t.deepEqual(Object.fromEntries(parseCniArguments(text)), pairs);
	});
}

for (const [text, fragment] of [
	['IP', 'ARGS: invalid pair "IP"'],
	['IP=1=2', 'ARGS: invalid pair "IP=1=2"'],
	['IP=1;', 'ARGS: invalid pair ""'],
	[';IP=1', 'ARGS: invalid pair ""'],
	['=1', 'ARGS: invalid pair "=1"'],
	['ip=9.0.1.2', 'unknown args ["ip=9.0.1.2"]'],
	['K8S_POD_NAME=a', 'unknown args ["K8S_POD_NAME=a"]; "IgnoreUnknown=1"'],
	['IgnoreUnknown=0;X=a', 'unknown args ["X=a"]'],
	['IgnoreUnknown=yes;X=a', 'expected 1, true, 0 or false for IgnoreUnknown, got "yes"'],
	['IgnoreUnknown=', 'IgnoreUnknown, got ""'],
] as const) {
	test(`refused: "${text}"`, (t) => {
		refuses(t, () => parseCniArguments(text), 4, 'reading CNI_ARGS', fragment);
	});
}

test('any text is read or refused', (t) => {
	const text = fc.string({ unit: fc.constantFrom('IP', 'IgnoreUnknown', '=', ';', '1', 'true', 'x') });
	const isHandled = (arguments_: string) => {
		try {
			return parseCniArguments(arguments_).size >= 0;
		} catch (error) {
			return error instanceof CniError && error.code === 4;
		}
	};
	t.notThrows(() => fc.assert(fc.property(text, isHandled)));
});
