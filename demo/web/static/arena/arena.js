/* The keys of the arena. Gradio's radio buttons are no group to the browser, so arrows are ours too. */
(() => {
  const questions = () => [...document.querySelectorAll("#form fieldset")];
  const options = question => [...question.querySelectorAll("input[type=radio]")];
  const pick = option => { option.click(); option.focus(); };

  function arrow(input, step) {
    const all = options(input.closest("fieldset"));
    pick(all[(all.indexOf(input) + step + all.length) % all.length]);
  }

  function answer(choice) {
    const here = document.activeElement.closest("#form fieldset");
    const open = questions().find(question => !options(question).some(option => option.checked));
    const question = open || here;
    if (question) pick(options(question)[choice]);
  }

  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || !document.querySelector("#vote")?.offsetParent) return;
    const radio = event.target.closest("#form input[type=radio]");
    const steps = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
    if (event.target.closest("textarea, input:not([type=radio])")) return;
    if (radio && event.key in steps) arrow(radio, steps[event.key]);
    else if (["1", "2", "3"].includes(event.key)) answer(Number(event.key) - 1);
    else if (event.key === "Enter" && !event.target.closest("button, a")) document.querySelector("#vote").click();
    else return;
    event.preventDefault();
  });
})();
