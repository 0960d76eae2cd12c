using System.Globalization;
using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.TestApp;

// KILL_AT names the activity of an order's step (see OrderActivities) after which the process dies; with KILL_WHEN=renewal it does so only
// after a POST to /renew. DNS_PORT is where name servers listen, in place of port 53. STANDARD_TIMES=1 leaves the engine its own times;
// CLOCK_AHEAD sets the wall clock ahead. All else comes from the environment as in any application.
//
// It runs in the temporary folder. To watch its settings, it would watch every folder that any test creates there.
var builder = WebApplication.CreateSlimBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
builder.WebHost.UseKestrelHttpsConfiguration();
if (builder.Configuration["STANDARD_TIMES"] is null)
{
    builder.Services.AddSingleton(QuickIssuance.Settings);
}

if (builder.Configuration["CLOCK_AHEAD"] is { Length: > 0 } ahead)
{
    builder.Services.AddSingleton<TimeProvider>(new AheadTimeProvider(TimeSpan.Parse(ahead, CultureInfo.InvariantCulture)));
}

KillingListener? killer = null;
if (builder.Configuration["KILL_AT"] is { Length: > 0 } step)
{
    killer = new KillingListener(step, armed: builder.Configuration["KILL_WHEN"] != "renewal");
}

if (builder.Configuration.GetValue<int?>("DNS_PORT") is { } dnsPort)
{
    builder.Services.AddSingleton(new DnsEndPointMap(address => new IPEndPoint(address, dnsPort)));
}

builder.Services.AddAcmeHttps();
var app = builder.Build();
app.MapGet("/", () => "Hello over HTTPS");
app.MapPost("/renew", async (string name, ICertificateManager certificates, CancellationToken cancellationToken) =>
{
    killer?.Arm();
    return (await certificates.RenewAsync(name, cancellationToken)).SerialNumber;
});
app.MapGet("/state", (string name, ICertificateManager certificates) => certificates.Find(name)?.State.ToString());
app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine("TestApp: listening"));
app.Lifetime.ApplicationStopped.Register(() => Console.WriteLine("TestApp: stopped"));
app.Run();
