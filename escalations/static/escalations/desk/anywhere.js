// The desk's alerts on pages that show something else.
import { forgetSent } from "./drafts.js";
import { live } from "./live.js";

forgetSent();
live();
