// The list of chats, and who this browser is: a secret that only it knows finds its chats again.
(() => {
  const page = (window.minigpt5 ||= {});
  const random = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
  let secret = null;

  page.who = () => {
    try {
      secret = localStorage.getItem("minigpt5-secret");
      if (!secret) localStorage.setItem("minigpt5-secret", (secret = random()));
    } catch { secret ||= random(); }
    return [secret, sessionStorage.getItem("minigpt5-chat") || ""];
  };
})();
