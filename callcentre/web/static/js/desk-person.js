// A person's page, read during a call: the officer's card stays reserved meanwhile.

import { keepCard } from "./desk-lease.js";

keepCard();
