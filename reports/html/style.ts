/** The page's style: light and dark by the reader's preference, tables that become cards on a narrow screen. */

export const style = `
:root{color-scheme:light dark;--back:#fbfbfa;--card:#fff;--text:#1d2125;--quiet:#5b6470;--line:#d9dde2;--link:#0b57b0;--shade:#f1f3f5;
--good:#176b36;--good-back:#e4f4e9;--part:#245b8f;--part-back:#e5f0fa;--idle:#8a5200;--idle-back:#fdf0d5;--bad:#a8201a;--bad-back:#fbe5e3;--open:#6a3d9a;--open-back:#f1eaf8;
--l0:#0b57b0;--l1:#a8201a;--l2:#176b36;--l3:#7a3e9d;--l4:#8a5200;--l5:#0f6f78}
@media screen and (prefers-color-scheme:dark){:root{--back:#14171a;--card:#1b1f24;--text:#e4e7ea;--quiet:#9aa4af;--line:#343b43;--link:#7db5f5;--shade:#242a30;
--good:#7fd49a;--good-back:#16321f;--part:#8cc1f2;--part-back:#152c42;--idle:#f0bd62;--idle-back:#3a2a0c;--bad:#ff9b93;--bad-back:#451a18;--open:#cfb4f2;--open-back:#2f2542;
--l0:#7db5f5;--l1:#ff9b93;--l2:#7fd49a;--l3:#d0a3ee;--l4:#f0bd62;--l5:#6fd0da}}
*{box-sizing:border-box}
html{scroll-padding-top:3.6rem}
body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:break-word}
p,li,dd,summary,code,.claim{overflow-wrap:anywhere}td.number,th.number{overflow-wrap:normal}td code,th code{overflow-wrap:break-word}
header.top,nav,main{max-width:1240px;margin:0 auto;padding:0 20px}
header.top{padding-top:28px;padding-bottom:12px}
h1{font-size:2.4rem;line-height:1.1;margin:0 0 .4rem}
h2{font-size:1.35rem;margin:2.4rem 0 .6rem;padding-top:.4rem;border-top:2px solid var(--line)}
h3{font-size:1.02rem;margin:1.2rem 0 .2rem}
h4{font-size:.82rem;margin:1rem 0 .3rem;color:var(--quiet);font-weight:600}
p{margin:.35rem 0}
.kind{color:var(--quiet);margin:0 0 .2rem;font-weight:600}
.lead{color:var(--quiet);max-width:80ch}
.title{max-width:90ch}
.quiet,small{color:var(--quiet)}
small{font-size:.86em}
a{color:var(--link)}
code{font:.92em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
header.good h1{color:var(--good)}header.bad h1{color:var(--bad)}header.idle h1{color:var(--idle)}
dl{margin:0}dt{color:var(--quiet)}dd{margin:0}
.figures{display:flex;flex-wrap:wrap;gap:10px;margin:14px 0}
.figures>div{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--line);border-radius:6px;padding:6px 14px;min-width:112px;display:flex;flex-direction:column-reverse}
.figures dt{font-size:.86rem}.figures dd{font-size:1.5rem;font-weight:650;line-height:1.2}
.figures .good{border-left-color:var(--good)}.figures .part{border-left-color:var(--part)}.figures .idle{border-left-color:var(--idle)}.figures .bad{border-left-color:var(--bad)}.figures .open{border-left-color:var(--open)}
.figures .none dd{color:var(--quiet)}
nav{position:sticky;top:0;background:var(--back);padding-top:8px;padding-bottom:8px;border-bottom:1px solid var(--line);z-index:2;display:flex;flex-wrap:wrap;align-items:center;gap:4px 16px}
nav div{white-space:nowrap;overflow-x:auto;flex:1 1 auto;min-width:0}
nav a{margin-right:14px;text-decoration:none}nav a:hover{text-decoration:underline}
#filter-box{margin:0;display:flex;align-items:center;gap:8px;flex:none}#filter-box[hidden],[data-suite][hidden]{display:none}
input{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:4px;padding:3px 8px;width:250px;max-width:100%}
input::placeholder{color:var(--quiet);opacity:1}#filter-count{min-width:0;text-align:left;color:var(--quiet)}
.answers{margin:14px 0;max-width:110ch}.answers>div{display:flex;gap:2px 14px;padding:5px 0;border-top:1px solid var(--line)}.answers dt{flex:0 0 170px;font-weight:600;color:var(--text)}
main{padding-bottom:60px}
.columns{columns:3 320px;column-gap:28px}.columns article{break-inside:avoid;padding-top:.1px}
ul,ol{margin:.3rem 0;padding-left:1.3rem}
.cut{color:var(--idle)}
.breach{color:var(--bad);font-weight:600}
b.idle,span.idle{color:var(--idle)}span.good,p.good{color:var(--good)}span.bad{color:var(--bad)}
p.idle{color:var(--idle)}
.chip{display:inline-block;border:1px solid var(--line);border-radius:4px;padding:0 6px;font-size:.82rem;background:var(--shade)}
.chip.idle{color:var(--idle);background:var(--idle-back);border-color:transparent}.chip.bad{color:var(--bad);background:var(--bad-back);border-color:transparent}
.scroll{overflow-x:auto}
table{border-collapse:collapse;background:var(--card);font-size:.9rem}
table.cards{width:100%;border:1px solid var(--line)}table.counts{width:auto;min-width:min(100%,560px)}
th.number,td.number{text-align:right}
th,td{text-align:left;vertical-align:top;padding:7px 10px;border-bottom:1px solid var(--line)}
thead th{font-weight:600;color:var(--quiet);font-size:.82rem;background:var(--shade);vertical-align:bottom}
tbody th{font-weight:400}
.claims th[scope=row]{min-width:210px}.claims .claim{font-weight:600;display:block}.claims small{display:block}
.claims td ul{padding-left:1rem;margin:0;font-size:.92em}
.claims td{min-width:108px}.claims td:nth-last-child(2){min-width:220px}
td.good{background:var(--good-back)}td.good b{color:var(--good)}
td.part{background:var(--part-back)}td.part b{color:var(--part)}
td.idle,tr.idle td{background:var(--idle-back)}td.idle,td.idle b{color:var(--idle)}
td.bad{background:var(--bad-back)}td.bad b{color:var(--bad)}
td.open{background:var(--open-back)}td.open b,td.partly b{color:var(--open)}td.partly{background:var(--shade)}
td b{font-weight:600}
.number{font-variant-numeric:tabular-nums}
.matrix td.empty{color:var(--line);text-align:right}.matrix td.empty:empty::after{content:'·'}
.suite{border:1px solid var(--line);background:var(--card);margin:-1px 0 0}.suite>summary{cursor:pointer;padding:5px 12px}.list{margin:6px 0}
.all>summary{cursor:pointer;padding:5px 0;font-weight:600}.suite>summary b{margin-right:4px}
.suite[open]>summary{border-bottom:1px solid var(--line)}.suite>:not(summary){margin-left:12px;margin-right:12px}.suite>.scroll{margin-bottom:12px;margin-top:8px}
.chip.good{color:var(--good);background:var(--good-back);border-color:transparent}.chip.part{color:var(--part);background:var(--part-back);border-color:transparent}.chip.open{color:var(--open);background:var(--open-back);border-color:transparent}
.finding{background:var(--card);border:1px solid var(--line);border-radius:6px;margin:8px 0;padding:8px 12px}
.finding summary{cursor:pointer}.finding ol{padding-left:2.4rem}
#viewer{background:var(--card);border:1px solid var(--line);border-radius:6px;scroll-margin-top:.2rem}
.viewer-head{padding:12px 14px 6px}
select,button{font:inherit;color:inherit;background:var(--shade);border:1px solid var(--line);border-radius:4px;padding:3px 8px}
select{max-width:100%;width:min(640px,100%)}
button:disabled{opacity:.45}button:not(:disabled){cursor:pointer}
:focus-visible{outline:2px solid var(--link);outline-offset:1px}
.facts{display:flex;flex-wrap:wrap;gap:2px 22px;margin:.3rem 0}.facts div{display:flex;gap:6px}.facts dt{flex:none}
.replay code{background:var(--shade);padding:2px 6px;border-radius:4px}
.viewer-bar{display:flex;flex-wrap:wrap;align-items:center;gap:6px;padding:6px 14px;border-top:1px solid var(--line)}
.viewer-bar button{min-width:38px;min-height:32px}output{min-width:64px;text-align:center;font-variant-numeric:tabular-nums}
.viewer-body{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);grid-template-rows:auto 1fr;border-top:1px solid var(--line)}
.steps{min-width:0}#trace-detail{grid-column:2;grid-row:1/3;border-left:1px solid var(--line)}#trace-disabled{padding:0 14px 8px;border-top:1px solid var(--line);min-width:0}
#trace-steps{max-height:520px;overflow:auto;position:relative}
#trace-spacer{position:relative}#trace-rows{position:absolute;left:0;right:0;top:0}
.step{display:flex;align-items:center;gap:8px;height:34px;padding:0 12px 0 8px;cursor:pointer;white-space:nowrap}
.step:hover{background:var(--shade)}.step.current{background:var(--part-back);box-shadow:inset 3px 0 var(--part)}
.step .number{width:3.2em;flex:none;color:var(--quiet)}
.step .says{overflow:hidden;text-overflow:ellipsis;flex:1;min-width:0}
.lanes{display:flex;align-self:stretch;flex:none}
.lane{display:block;width:26px;position:relative}
.lane::before{content:"";position:absolute;left:50%;top:0;bottom:0;border-left:1px solid var(--line)}
.lane.on::after{content:"";position:absolute;left:50%;top:50%;width:12px;height:12px;margin:-6px;border-radius:50%;background:currentColor}
.lane-0{color:var(--l0)}.lane-1{color:var(--l1)}.lane-2{color:var(--l2)}.lane-3{color:var(--l3)}.lane-4{color:var(--l4)}.lane-5{color:var(--l5)}
#trace-lanes{display:flex;align-items:flex-end;padding:8px 0 4px calc(8px + 3.2em + 8px);border-bottom:1px solid var(--line);font-size:.78rem;max-height:150px}
.lane-name{width:26px;writing-mode:vertical-rl;transform:rotate(180deg);line-height:26px;white-space:nowrap;max-height:120px;overflow:hidden;text-overflow:ellipsis}
.plain{border:1px solid var(--line)}.plain th,.plain td{padding:4px 10px}.plain tbody th{min-width:230px}.plain td:not(.number){min-width:260px}.plain td.empty,.matrix td.empty{color:var(--quiet)}figure{margin:10px 0}svg text{paint-order:stroke;stroke:var(--back);stroke-width:4px}
.grid{font-size:.82rem;border:1px solid var(--line)}.grid th,.grid td{padding:3px 6px;border-right:1px solid var(--line)}.grid tbody th{min-width:240px;max-width:340px;position:sticky;left:0;background:var(--card);z-index:1}
.grid th.op{writing-mode:vertical-rl;transform:rotate(180deg);text-align:left;border-right:0;border-left:1px solid var(--line);max-height:210px}.grid td{text-align:right;white-space:nowrap}.grid td.idle{font-size:.75rem}.grid td.empty{text-align:center;color:var(--quiet)}
.refused{color:var(--part)}.blocked{color:var(--good)}.attack{color:var(--bad)}
.disabled summary{cursor:pointer;margin:1rem 0 .3rem;font-size:.82rem;color:var(--quiet);font-weight:600}.disabled ul{font-size:.86rem}.disabled li{overflow-wrap:anywhere}
.badge{font-size:.76rem;border-radius:4px;padding:0 6px;background:var(--shade);flex:none}.badge.fault{color:var(--bad);background:var(--bad-back)}.badge.turn{color:var(--part);background:var(--part-back)}p.turn{color:var(--part);font-weight:600}
.badge.status{color:var(--idle);background:var(--idle-back)}
#trace-detail{padding:10px 14px;min-width:0;max-height:640px;overflow:auto}
#trace-detail h3{margin-top:0}
#trace-detail table{border:1px solid var(--line)}#trace-detail th,#trace-detail td{padding:3px 8px;font-size:.84rem}
#trace-detail .cell{white-space:nowrap}
td.before{color:var(--quiet)}td.after{font-weight:600}
.map .lines{font:.84rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--shade);padding:6px 8px;border-radius:4px;max-height:360px;overflow:auto}
.map .changed,.strip td.changed{background:var(--idle-back);color:var(--idle);font-weight:600}
.strip td{text-align:center;white-space:nowrap}.strip td.now{box-shadow:inset 2px 0 var(--part),inset -2px 0 var(--part)}.strip td.later{opacity:.55}
.strip th:first-child{position:sticky;left:0;background:var(--card)}.strip thead th:first-child{background:var(--shade)}
.strip thead th+th{text-align:center}
@media (max-width:860px){.viewer-body{grid-template-columns:minmax(0,1fr);grid-template-rows:none}#trace-detail{grid-column:1;grid-row:auto;border-left:0}.steps{border-bottom:1px solid var(--line)}#trace-steps{max-height:300px}#trace-detail{max-height:none}}
@media (max-width:640px){
nav{position:static}html{scroll-padding-top:.5rem}nav div{white-space:normal}#filter-box{flex:1 1 100%}input{flex:1}
.answers>div{display:block}.grid tbody th{min-width:150px;max-width:150px}
header.top,nav,main{padding-left:12px;padding-right:12px}
h1{font-size:2rem}
.figures>div{flex:1 1 40%}
table.cards,table.cards tbody,table.cards tr,table.cards td,table.cards tbody th{display:block;width:100%}
table.cards thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table.cards{border:0;background:none}
table.cards tr{border:1px solid var(--line);border-radius:6px;margin:0 0 12px;background:var(--card);overflow:hidden}
table.cards td,table.cards tbody th{border:0;border-top:1px solid var(--line);min-width:0;padding:6px 10px}
table.cards tbody th{border-top:0;background:var(--shade)}
table.cards td::before{content:attr(data-label);display:block;font-size:.78rem;color:var(--quiet)}
table.counts td{display:flex;justify-content:space-between;gap:12px;text-align:right}
table.counts td::before{text-align:left;flex:none;max-width:60%}
table.matrix td.empty,table.cards td.none{display:none}
table.counts{min-width:0}table.cards th.number{text-align:left}
.keys{display:none}
.lane,.lane-name{width:20px}.step{gap:5px;padding-right:6px}.step .number{width:2.2em}
#trace-lanes{padding-left:calc(8px + 2.2em + 5px)}
.replay code{display:block;margin-bottom:4px}
}
@media print{
:root{color-scheme:light}nav,.viewer-bar,#trace-copy,#traces,#coverage .all,#faults>.all,.scroll:empty{display:none}
body{background:#fff;color:#000;font-size:10.5px}header.top,main{max-width:none;padding:0}h2{break-after:avoid}tr,.finding,article,.answers>div{break-inside:avoid}
.scroll{overflow:visible}.columns{columns:2}a{color:inherit}td.good,td.open,td.part,td.idle,td.bad,.chip{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`;
