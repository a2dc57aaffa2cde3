/** The page's script: the functions below as text, handed to one another, so that none relies on names that a compiler may change. */
import { classTables } from './classes.js';
import { filter } from './filter.js';
import { historyOf, valueAfter } from './history.js';
import { viewer } from './viewer.js';

export const pageScript = `'use strict';(${viewer})(document,window,${historyOf},${valueAfter});(${classTables})(document);(${filter})(document,window);`;
