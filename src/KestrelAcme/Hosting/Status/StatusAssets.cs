using System.Security.Cryptography;
using System.Text;

namespace KestrelAcme.Hosting.Status;

/// <summary>The style and the script of the status page, and the policy that lets a browser use nothing else.</summary>
internal static class StatusAssets
{
    /// <summary>
    /// Light and dark, and one column on a phone. Text has a contrast of at least 4.5:1 in both, and parts of the bar of at least 3:1.
    /// </summary>
    public const string Style = """
        :root{color-scheme:light dark;--bg:#f5f6f9;--card:#fff;--line:#dde1e9;--edge:#858d9c;--text:#171a21;--soft:#565d6c;--blue:#1d58c7;
        --track:#dfe4ee;--gone:#5b86de;--window:#0b7d71;--ok:#12693a;--okb:#e3f4ea;--warn:#7d4a00;--warnb:#fdf0d9;--bad:#ac1f19;
        --badb:#fdebe9;--infob:#e6eefc}
        @media(prefers-color-scheme:dark){:root{--bg:#0f1218;--card:#181c24;--line:#2b313d;--edge:#7d8798;--text:#e9edf4;--soft:#a6afbf;
        --blue:#94baff;--track:#2c3441;--gone:#5f8be6;--window:#4fd1c3;--ok:#7bdba1;--okb:#13311f;--warn:#f4c26b;--warnb:#37290f;
        --bad:#ffa49c;--badb:#3d1a18;--infob:#1a2a47}}
        *{box-sizing:border-box}
        body{font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;color:var(--text);background:var(--bg);
        margin:0;padding:0 1rem 3rem}
        main{max-width:62rem;margin:0 auto}h1,h2,p,dl,dd,ol,ul{margin:0;padding:0}ol,ul{list-style:none}
        header{display:flex;align-items:center;gap:.9rem;padding:2rem 0 1.2rem}
        header svg{flex:none;width:2.6rem;height:2.6rem}.plate{fill:var(--blue)}.sign{fill:none;stroke:var(--card);stroke-width:2.2;
        stroke-linecap:round;stroke-linejoin:round}
        h1{font-size:1.6rem;line-height:1.2;letter-spacing:-.02em}h2{font-size:1.1rem;font-weight:650;
        overflow-wrap:anywhere;line-height:1.35}
        .soft{color:var(--soft);font-size:.9rem}.wide{overflow-wrap:anywhere}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem}
        .tiles div,.card{background:var(--card);border:1px solid var(--line);border-radius:.8rem}
        .tiles div{padding:.8rem 1rem}.tiles dt,.facts dt{color:var(--soft);font-size:.8rem}
        .tiles dd{font-size:1.45rem;font-weight:650;letter-spacing:-.02em;line-height:1.3}.tiles .ok dd{color:var(--ok)}
        .tiles .bad dd{color:var(--bad)}
        .note{border-radius:.6rem;padding:.7rem 1rem;margin:.9rem 0;overflow-wrap:anywhere;background:var(--infob)}
        .note.ok{background:var(--okb)}.note.bad{background:var(--badb)}.note.warn{background:var(--warnb)}.note p+p{margin-top:.3rem}
        .bad>strong{color:var(--bad)}
        .find{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin:1.2rem 0 1rem}.find input{flex:1 1 12rem}
        input,button,.page{font:inherit;color:inherit;background:var(--card);border:1px solid var(--edge);border-radius:.55rem;
        padding:.42rem .85rem;max-width:100%}
        button,.page{cursor:pointer;font-weight:600;font-size:.93rem}button:hover,.page:hover{border-color:var(--blue);color:var(--blue)}
        .card{position:relative;overflow:hidden;padding:1rem 1.2rem 1.1rem 1.4rem;margin-bottom:.8rem}
        .card::before{content:"";position:absolute;inset:0 auto 0 0;width:.3rem;background:var(--line)}.k-ok::before{
        background:var(--ok)}
        .k-info::before{background:var(--blue)}.k-warn::before{background:var(--warn)}.k-bad::before{background:var(--bad)}
        .top{display:flex;flex-wrap:wrap;gap:.5rem .8rem;align-items:center}.top h2{flex:1 1 14rem;min-width:0}
        .state{font-size:.82rem;font-weight:650;border-radius:1rem;padding:.16rem .75rem;white-space:nowrap}
        .k-ok .state{color:var(--ok);background:var(--okb)}.k-info .state{color:var(--blue);background:var(--infob)}
        .k-warn .state{color:var(--warn);background:var(--warnb)}.k-bad .state{color:var(--bad);background:var(--badb)}
        .state::before{content:"";display:inline-block;width:.5rem;height:.5rem;border-radius:50%;background:currentColor;
        margin-right:.45rem;vertical-align:.07rem}
        .bar{display:block;width:100%;height:30px;margin:.7rem 0 .4rem;overflow:visible}
        .life,.gone{y:11px;height:8px;rx:4px;fill:var(--track)}.life{width:100%}.gone{fill:var(--gone)}.over .gone{fill:var(--bad)}
        .window{y:6px;height:18px;rx:4px;fill:var(--window);fill-opacity:.28;stroke:var(--window);stroke-width:1.5}
        .next{y:9.5px;width:11px;height:11px;rx:1px;fill:var(--window);stroke:var(--card);stroke-width:1.5;transform-box:fill-box;
        transform-origin:center;transform:translateX(-5.5px) rotate(45deg)}
        .now{cy:15px;r:7px;fill:var(--text);stroke:var(--card);stroke-width:2.5}
        .facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.8rem,1fr));gap:.5rem 1.2rem;font-size:.93rem}
        .facts dd{overflow-wrap:anywhere}.facts time,.facts span{display:block}.facts span{font-size:.8rem}
        .w::before,.n::before{content:"";display:inline-block;width:.65rem;height:.65rem;margin-right:.4rem;
        border-radius:.15rem;background:var(--window)}.n::before{width:.55rem;height:.55rem;
        border-radius:1px;transform:rotate(45deg)}.w::before{background:none;border:1.5px solid var(--window);vertical-align:-.05rem}
        details{margin-top:.7rem;font-size:.9rem}summary{cursor:pointer;color:var(--soft);width:fit-content;border-radius:.3rem}
        details li{display:flex;gap:0 .8rem;padding:.15rem 0;overflow-wrap:anywhere}details time{flex:none}
        code{font:.88em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
        nav{display:flex;gap:.8rem;align-items:center;justify-content:center;margin-top:1.4rem;flex-wrap:wrap}a{color:inherit}
        .page{text-decoration:none}:focus-visible{outline:3px solid var(--blue);outline-offset:2px}
        footer{margin-top:2rem;text-align:center}
        @media(max-width:40rem){header{padding:1.2rem 0 1rem}.card{padding:.9rem 1rem 1rem 1.2rem}.tiles{grid-template-columns:1fr 1fr}
        .tiles dd{font-size:1.2rem}.facts{grid-template-columns:1fr 1fr}.by{grid-column:1/-1}.top h2{flex-basis:100%}
        .top button{margin-left:auto}details li{flex-wrap:wrap}}
        @media(prefers-reduced-motion:no-preference){.busy .state::before{animation:p 1.2s ease-in-out infinite alternate}
        @keyframes p{to{opacity:.25}}}
        """;

    /// <summary>
    /// Shows the steps of orders as they happen, and reads the page again after each. The page needs it for nothing else. What is open and
    /// what has the focus stays so.
    /// </summary>
    public const string Script = """
        (() => {
          'use strict';
          const live = document.getElementById('live');
          const keep = ['summary', 'list', 'below'];
          let timer, reading = false;
          async function read() {
            if (reading) { timer = setTimeout(read, 500); return; }
            reading = true;
            try {
              const response = await fetch(location.href, { headers: { Accept: 'text/html' } });
              if (!response.ok || response.redirected) { return; }
              const page = new DOMParser().parseFromString(await response.text(), 'text/html');
              const open = new Set([...document.querySelectorAll('details[open]')].map(d => d.id));
              const focused = document.activeElement && document.activeElement.id;
              for (const id of keep) {
                const from = page.getElementById(id), to = document.getElementById(id);
                if (from && to) { to.replaceWith(from); }
              }
              for (const details of document.querySelectorAll('details')) { details.open = open.has(details.id); }
              if (focused) { document.getElementById(focused)?.focus({ preventScroll: true }); }
              document.title = page.title;
            } catch {
              // The app restarts. The stream is opened again, and the page is read then.
            } finally {
              reading = false;
            }
          }
          const source = new EventSource(location.pathname);
          let opened = false;
          source.onopen = () => { if (opened) { read(); } opened = true; document.documentElement.dataset.live = 'on'; };
          source.onmessage = message => {
            const happened = JSON.parse(message.data);
            live.hidden = false;
            live.textContent = `${new Date(happened.at).toLocaleTimeString()} \u2013 ${happened.message}`;
            clearTimeout(timer);
            timer = setTimeout(read, 250);
          };
          addEventListener('pagehide', () => source.close());
        })();
        """;

    /// <summary>The version of the script, for its URL: browsers may keep it.</summary>
    public static string ScriptVersion { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Script)).AsSpan(0, 6));

    private static readonly string StyleHash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)));

    /// <summary>Returns the Content-Security-Policy of a page.</summary>
    /// <param name="nonce">The random value of this response that its script carries.</param>
    public static string Policy(string nonce)
        => $"default-src 'none'; style-src 'sha256-{StyleHash}'; script-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; "
            + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
}
