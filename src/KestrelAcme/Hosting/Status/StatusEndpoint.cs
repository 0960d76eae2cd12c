using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace KestrelAcme.Hosting.Status;

/// <summary>Responds with the status: as JSON if the client prefers that, otherwise as HTML.</summary>
internal sealed class StatusEndpoint(StatusReader reader)
{
    // Longer than any name.
    private const int LongestSearch = 300;

    /// <summary>Whether the warning that anybody may read the status was logged.</summary>
    public bool HasWarned { get; set; }

    public async Task RespondAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var search = query["name"].ToString().Trim() is { Length: > 0 and <= LongestSearch } name ? name : null;
        var page = int.TryParse(query["page"], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 1;
        var report = reader.Read(search, page);

        var response = context.Response;
        response.Headers.CacheControl = "no-store";
        response.Headers.Vary = "Accept";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        if (PrefersJson(context.Request.Headers.Accept))
        {
            response.ContentType = "application/json; charset=utf-8";
            await JsonSerializer.SerializeAsync(
                response.Body, report, StatusJsonContext.Default.StatusReport, context.RequestAborted);
        }
        else
        {
            response.ContentType = "text/html; charset=utf-8";
            response.Headers.ContentSecurityPolicy = StatusHtml.Policy;
            await response.WriteAsync(StatusHtml.Write(report, search), context.RequestAborted);
        }
    }

    // Browsers accept HTML, and curl accepts anything.
    private static bool PrefersJson(StringValues accept)
        => accept.ToString() is { } types
            && types.Contains("application/json", StringComparison.OrdinalIgnoreCase)
            && !types.Contains("text/html", StringComparison.OrdinalIgnoreCase);
}
