using KestrelAcme.Certificates;
using KestrelAcme.Hosting.Status;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace KestrelAcme.Browser.Tests;

/// <summary>The status page with certificates in every state, one of them hostile.</summary>
internal static class StatusGallery
{
    public const string Hostile = "<img src=x onerror=alert(1)>\"'><script>alert(1)</script>";

    private static readonly DateTimeOffset Now = new(2026, 11, 26, 14, 30, 0, TimeSpan.Zero);

    public static void Map(WebApplication app)
    {
        app.MapGet("/gallery", (HttpContext context) => WriteAsync(context, [.. Tame(), Strange()]));
        app.MapGet("/showcase", (HttpContext context) => WriteAsync(context, [.. Tame().Take(5)]));
        app.MapGet("/{page}/live.js", () => Results.Content("", "text/javascript"));
    }

    private static Task WriteAsync(HttpContext context, IReadOnlyList<StatusRow> rows)
    {
        const string nonce = "bm9uY2U=";
        context.Response.Headers.ContentSecurityPolicy = StatusAssets.Policy(nonce);
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(StatusHtml.Write(
            new StatusReport
            {
                At = Now, Total = 1284, NeedAttention = rows.Count(r => r.Problem is not null), InProgress = 1, NextOrder = Now.AddHours(7),
                Orders = true, Page = 1, Pages = 52, Certificates = rows,
                Notices = rows.Count > 5 ? [$"The store is unavailable since 2026-11-26 14:21:07Z: {Hostile}"] : [],
            },
            new StatusView
            {
                Host = "ops.example.com", Search = rows.Count > 5 ? Hostile : null, Token = ("token", "value"), Nonce = nonce,
                Renewal = rows.Count > 5 ? new StatusRenewals.Renewal("api.example.com", RenewalOutcome.Refused, Hostile) : null,
                ScriptUrl = rows.Count > 5 ? "gallery/live.js" : "showcase/live.js",
            }));
    }

    private static IEnumerable<StatusRow> Tame()
    {
        yield return Row("pay.example.com", CertificateState.Waiting, -83, 7) with
        {
            Problem = "renewal overdue",
            Advice = "Clients are not affected: the current certificate is still served. Fix the reason below, then choose Renew. "
                + "Otherwise the next attempt is at 2026-11-26 16:04:00Z.",
            Failure = "The CA could not validate pay.example.com (urn:ietf:params:acme:error:connection): 203.0.113.9: Fetching "
                + "http://pay.example.com/.well-known/acme-challenge/kT0: Connection refused. Check that port 80 of this address leads to "
                + "this app, in the firewall and at the provider.",
            FailedAt = Now.AddHours(-6),
            NextOrder = Now.AddHours(1.6),
            Events = Events("pay.example.com", "The CA could not validate pay.example.com. The next attempt is at 2026-11-26 16:04:00Z."),
        };
        yield return Row("eu.example.com", CertificateState.Renewing, -60, 30) with { NextOrder = Now };
        yield return Row("example.com", CertificateState.Valid, -22, 68) with
        {
            Names = ["example.com", "www.example.com", "static.example.com"],
            Events = Events("example.com", "Now serving certificate 03a1."),
        };
        yield return Row("*.preview.example.com", CertificateState.Valid, -2, 4) with
        {
            WindowStart = Now.AddDays(1), WindowEnd = Now.AddDays(2), NextOrder = Now.AddDays(1.4),
        };
        yield return Row("api.example.com", CertificateState.Valid, -48, 42);
        yield return Row("old.example.com", CertificateState.Blocked, -95, -5) with
        {
            Problem = "expired, blocked until an operator acts",
            Advice = "Clients get an expired certificate and refuse it. Create the DNS records below. KestrelAcme watches DNS; otherwise "
                + "the next attempt is at 2026-11-27 10:00:00Z.",
            Failure = "The CAA records of old.example.com allow only other.example to issue.",
            FailedAt = Now.AddHours(-20),
            RequiredRecords = ["old.example.com. CAA 0 issue \"letsencrypt.org\""],
        };
        yield return Row("new.example.com", CertificateState.Ordering, 0, 0) with
        {
            NotBefore = null, NotAfter = null, NextOrder = Now, Issuer = null, Authority = null, SerialNumber = null, WindowStart = null,
            WindowEnd = null, Problem = "no certificate for its names",
            Advice = "Clients of these names get no certificate that they trust. An order is in progress.",
        };
        yield return Row("gone.example.com", CertificateState.Abandoned, -140, -50) with { NextOrder = null };
        yield return Row("due.example.com", CertificateState.RenewalDue, -61, 29) with { NextOrder = Now };
        yield return Row("slow.example.com", CertificateState.Waiting, -61, 29) with
        {
            Failure = "The CA is unreachable.", FailedAt = Now.AddMinutes(-5),
            Advice = "Clients are not affected: the current certificate is still served. The CA failed, so there is nothing to fix here.",
        };
    }

    private static StatusRow Strange() => Row(Hostile, CertificateState.Waiting, -80, 10) with
    {
        Names = [Hostile, $"{Hostile}{new string('w', 200)}"], Problem = Hostile, Advice = Hostile,
        Failure = $"{Hostile}{new string('f', 400)}", RequiredRecords = [Hostile],
        Issuer = Hostile, Authority = "javascript:alert(1)", SerialNumber = Hostile,
        Events = Events(Hostile, Hostile),
    };

    private static StatusRow Row(string name, CertificateState state, int from, int to) => new()
    {
        Id = name, Names = [name], State = state, NotBefore = Now.AddDays(from), NotAfter = Now.AddDays(to),
        WindowStart = Now.AddDays(to - 31), WindowEnd = Now.AddDays(to - 29), NextOrder = Now.AddDays(to - 30.2),
        Authority = "https://acme-v02.api.letsencrypt.org/directory", Issuer = "CN=E7, O=Let's Encrypt, C=US",
        SerialNumber = "03A1F7C09E5B2D4486E1907B3C5A2F1D8E04",
    };

    private static IReadOnlyList<StatusEvent> Events(string name, string last) =>
    [
        new() { Certificate = name, Kind = CertificateEventKind.Failed, At = Now.AddHours(-6), Message = last },
        new()
        {
            Certificate = name, Kind = CertificateEventKind.ChallengePosted, At = Now.AddHours(-6).AddSeconds(-4),
            Message = $"Submitted a challenge of {name} for validation.",
        },
        new()
        {
            Certificate = name, Kind = CertificateEventKind.OrderPlaced, At = Now.AddHours(-6).AddSeconds(-5),
            Message = $"The order for {name} was placed.",
        },
    ];
}
