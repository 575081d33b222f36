import { describeClosingMatrix } from '../support/platform/closing-matrix.js';

describeClosingMatrix({ pushes: 60, sizes: ['small', 'large'], atATime: [1, 8] });
