using KestrelAcme.Diagnostics;
using KestrelAcme.LocalAuthority;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Observability;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

var builder = WebApplication.CreateBuilder(args);

// An ACME authority in this process. It validates at the app's HTTP endpoint instead of port 80.
var authority = builder.Services.AddLocalAcmeAuthority(options =>
{
    options.Folder = Path.Combine(builder.Environment.ContentRootPath, ".kestrel-acme", "authority");
    options.ValidationHttpPort = Ports.Http(builder.Configuration);
});
builder.Services.AddAcmeHttps(options =>
{
    options.DirectoryUrl = authority.DirectoryUrl.ToString();
    options.TrustedRootsPath = authority.RootPemPath;
});

// The console stands for your backend: replace the exporter by OTLP or Prometheus. OTEL_METRIC_EXPORT_INTERVAL sets the interval.
builder.Services.AddOpenTelemetry()
    .WithMetrics(metrics => metrics.AddMeter(AcmeHttpsTelemetry.MeterName).AddConsoleExporter())
    .WithTracing(tracing => tracing.AddSource(AcmeHttpsTelemetry.ActivitySourceName).AddConsoleExporter());

// The check has the tag acme and not the tag ready: an app that is not ready while it has no certificate would never get one.
builder.Services.AddHealthChecks().AddAcmeHttps();

var app = builder.Build();
app.MapGet("/", () => "Hello over HTTPS\n");

// In production, call RequireAuthorization().
app.MapAcmeHttpsStatus("/acme-status");
app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains("ready") });
app.MapHealthChecks("/health/acme", new HealthCheckOptions
{
    Predicate = check => check.Tags.Contains("acme"),
    ResponseWriter = HealthReportWriter.WriteAsync,
});
app.Run();
