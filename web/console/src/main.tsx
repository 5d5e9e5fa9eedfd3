import { render } from "preact";

import "./style/fonts.css";
import "./style/base.css";
import "./style/shell.css";
import "./style/ui.css";
import { App } from "./app.js";
import { applyTheme } from "./theme.js";

applyTheme();
render(<App />, document.getElementById("app")!);
