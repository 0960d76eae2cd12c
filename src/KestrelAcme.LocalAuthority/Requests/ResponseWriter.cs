using System.Globalization;
using System.Text;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Jose;
using Microsoft.AspNetCore.Http;

namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>Writes responses: with the headers of every ACME response, and with injected faults.</summary>
internal sealed class ResponseWriter(NonceStore nonces, AuthorityFaults faults, TimeProvider time)
{
    private const long MostEndlessBytes = 1L << 30;

    public async Task WriteAsync(HttpContext context, AcmeRequest request, AcmeResponse response, FaultEffect? effect)
    {
        if (effect == FaultEffect.CutAfter)
        {
            context.Abort();
            return;
        }

        WriteHead(context.Response, request, response, effect);
        switch (effect)
        {
            case FaultEffect.EndlessBody:
                await WriteEndlesslyAsync(context);
                break;
            case FaultEffect.CutInBody:
                context.Response.ContentLength = response.Body.Length + 1;
                await context.Response.Body.WriteAsync(response.Body.AsMemory(0, response.Body.Length / 2), context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                context.Abort();
                break;
            default:
                await WriteBodyAsync(context, BodyOf(response, effect));
                break;
        }
    }

    /// <summary>Closes the connection without a response: at once, or when the client gives up.</summary>
    public async Task CutAsync(HttpContext context, FaultEffect effect)
    {
        if (effect == FaultEffect.NoAnswer)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        context.Abort();
    }

    private static byte[] BodyOf(AcmeResponse response, FaultEffect? effect) => effect switch
    {
        FaultEffect.NotJson => Encoding.ASCII.GetBytes("<html><body>Bad gateway</body></html>"),
        FaultEffect.Truncated => response.Body[..(response.Body.Length / 2)],
        _ => response.Body,
    };

    private static async Task WriteBodyAsync(HttpContext context, byte[] body)
    {
        // Responses with status 204 and to HEAD have no body and no Content-Length.
        if (context.Response.StatusCode != 204 && context.Request.Method != "HEAD")
        {
            context.Response.ContentLength = body.Length;
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }

    private static async Task WriteEndlesslyAsync(HttpContext context)
    {
        var chunk = new byte[16 * 1024];
        Array.Fill(chunk, (byte)' ');
        try
        {
            for (var written = 0L; written < MostEndlessBytes; written += chunk.Length)
            {
                await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // The client has stopped reading, which is the purpose of this fault.
        }
    }

    private void WriteHead(HttpResponse http, AcmeRequest request, AcmeResponse response, FaultEffect? effect)
    {
        var now = time.GetUtcNow();
        http.StatusCode = response.Status;
        http.ContentType = effect == FaultEffect.WrongContentType ? "text/html" : response.ContentType;
        http.Headers.Date = (now + faults.DateOffset).UtcDateTime.ToString("R", CultureInfo.InvariantCulture);
        http.Headers.Allow = response.Allow;
        http.Headers.RetryAfter = response.RetryAfter?.Format(now);
        http.Headers.Location = effect == FaultEffect.MissingLocation ? null : response.Location;
        if (!ResourceRules.IsFile(request.Route.Resource))
        {
            http.Headers.CacheControl = "no-store";
            http.Headers.Link = new([$"<{request.Urls.Directory}>;rel=\"index\"", .. response.Links]);
        }

        if (response.CarriesNonce && effect != FaultEffect.MissingNonce)
        {
            http.Headers["Replay-Nonce"] = nonces.Create();
        }

        foreach (var (name, value) in response.Headers)
        {
            http.Headers[name] = value;
        }
    }
}

/// <summary>A Retry-After header in one of its two forms (RFC 9110 section 10.2.3).</summary>
internal sealed record RetryAfter(TimeSpan Delay, bool AsDate = false)
{
    public string Format(DateTimeOffset now) => AsDate
        ? now.Add(Delay).UtcDateTime.ToString("R", CultureInfo.InvariantCulture)
        : ((long)Math.Ceiling(Delay.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
}

/// <summary>Writes RFC 3339 times: UTC, in whole seconds.</summary>
internal static class Timestamp
{
    public static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
