using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Observability;

/// <summary>Writes a health report with its data as JSON, for people and for monitoring that this endpoint is open to.</summary>
internal static class HealthReportWriter
{
    public static Task WriteAsync(HttpContext context, HealthReport report) => context.Response.WriteAsJsonAsync(new
    {
        Status = report.Status.ToString(),
        Checks = report.Entries.ToDictionary(e => e.Key, e => new { e.Value.Description, e.Value.Data }),
    });
}
