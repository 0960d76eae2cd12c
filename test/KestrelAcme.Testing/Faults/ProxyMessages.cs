using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;

namespace KestrelAcme.Testing.Faults;

/// <summary>Copies requests and responses through <see cref="FaultyProxy"/>.</summary>
internal static class ProxyMessages
{
    private static readonly HashSet<string> NotCopied =
        new(["Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Expect", "Content-Length"], StringComparer.OrdinalIgnoreCase);

    public static async Task<ProxiedRequest> ReadAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var headers = context.Request.Headers.ToDictionary(
            header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var body = await reader.ReadToEndAsync(context.RequestAborted);
        return new ProxiedRequest(
            context.Request.Method, context.Request.GetEncodedPathAndQuery(), headers, body, TimeProvider.System.GetUtcNow());
    }

    public static HttpRequestMessage CreateForward(ProxiedRequest request, Uri url)
    {
        var message = new HttpRequestMessage(new HttpMethod(request.Method), url);
        if (request.Body.Length > 0)
        {
            message.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(request.Body));
        }

        foreach (var (name, value) in request.Headers.Where(header => !NotCopied.Contains(header.Key)))
        {
            // Including the Host header, from which the server builds its URLs.
            if (!message.Headers.TryAddWithoutValidation(name, value))
            {
                message.Content?.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return message;
    }

    public static Task WriteOwnAsync(HttpContext context, ProxiedRequest request, Fault fault)
    {
        context.Response.StatusCode = fault.Status ?? StatusCodes.Status200OK;
        return WriteBodyAsync(context, request, fault, fault.Body ?? "", fault.ContentType);
    }

    public static async Task WriteAsync(HttpContext context, ProxiedRequest request, HttpResponseMessage answer, Fault? fault)
    {
        var response = context.Response;
        response.StatusCode = fault?.Status ?? (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers).Where(header => !NotCopied.Contains(header.Key)))
        {
            response.Headers[name] = values.ToArray();
        }

        var body = await answer.Content.ReadAsStringAsync(context.RequestAborted);
        body = fault?.Body ?? fault?.Rewrite?.Invoke(body) ?? body;
        await WriteBodyAsync(context, request, fault, body, fault?.Body is null ? response.ContentType : fault.ContentType);
    }

    private static async Task WriteBodyAsync(HttpContext context, ProxiedRequest request, Fault? fault, string body, string? contentType)
    {
        var response = context.Response;
        var bytes = Encoding.UTF8.GetBytes(body);
        response.ContentType = contentType;
        if (fault?.RetryAfter is { } retryAfter)
        {
            response.Headers.RetryAfter = retryAfter;
        }

        if (fault?.Date is { } date)
        {
            response.Headers.Date = date.ToString("r");
        }

        if (HttpMethods.IsHead(request.Method) || response.StatusCode == StatusCodes.Status204NoContent)
        {
            request.Status = response.StatusCode;
            return;
        }

        response.ContentLength = bytes.Length;
        if (fault?.Cut == CutPoint.InsideBody)
        {
            await response.Body.WriteAsync(bytes.AsMemory(0, bytes.Length / 2), context.RequestAborted);
            await response.Body.FlushAsync(context.RequestAborted);
            context.Abort();
            return;
        }

        request.Status = response.StatusCode;
        await response.Body.WriteAsync(bytes, context.RequestAborted);
    }
}
