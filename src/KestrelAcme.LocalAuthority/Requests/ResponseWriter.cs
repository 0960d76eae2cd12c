using System.Globalization;
using System.Text;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Jose;
using Microsoft.AspNetCore.Http;

namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>Puts an answer on the wire: with the headers that every ACME answer has, and damaged where that was asked for.</summary>
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

    /// <summary>Ends the connection without an answer: at once, or when the client gives up.</summary>
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
        // 204 and HEAD carry no body and no length of one.
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
            // The client has had enough: that is what the fault is for.
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
