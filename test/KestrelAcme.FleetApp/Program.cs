using System.Globalization;
using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Model;
using KestrelAcme.FleetApp;

// STORE names the kind of store (see FleetStorage), and STORE_ADDRESS where it is (without HAS_TABLES=true, its tables are created).
// LEASE_SECONDS shortens the leases of orders, STORE_SECONDS the time after which a store that does not respond counts as unavailable, and
// LOAD_SECONDS the time for which the start waits for it. STAND_STILL keeps orders at a step (see ParkingListener). All else comes from
// the environment as in any app.
//
// It runs in the temporary folder. To watch its settings, it would watch every folder that any test creates there.
var builder = WebApplication.CreateSlimBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);
builder.WebHost.UseKestrelHttpsConfiguration();
builder.Services.AddSingleton(Settings(builder.Configuration));
if (builder.Configuration.GetValue<double?>("HANDSHAKE_SECONDS") is { } handshake)
{
    builder.WebHost.ConfigureKestrel(
        kestrel => kestrel.ConfigureHttpsDefaults(https => https.HandshakeTimeout = TimeSpan.FromSeconds(handshake)));
}

using var parking = builder.Configuration["STAND_STILL"] is { Length: > 0 } steps ? new ParkingListener(steps) : null;
FleetStorage.Use(builder.Services.AddAcmeHttps(), builder.Configuration);

var app = builder.Build();
if (!app.Configuration.GetValue<bool>("HAS_TABLES"))
{
    FleetStorage.CreateTables(app.Services);
}

app.MapGet("/", () => "Hello from one of many");
app.MapGet("/serials", (ICertificateManager certificates) =>
    string.Join('\n', certificates.List().Select(c => $"{c.DomainNames[0]} {c.State} {c.SerialNumber}")));
app.MapPost("/renew", async (string name, ICertificateManager certificates, CancellationToken cancellationToken) =>
{
    try
    {
        return Results.Text((await certificates.RenewAsync(name, cancellationToken)).SerialNumber);
    }
    catch (CertificateException exception)
    {
        return Results.Text(exception.ToString(), statusCode: StatusCodes.Status500InternalServerError);
    }
});
app.MapPost("/add", (string name, ICertificateManager certificates, CancellationToken cancellationToken) =>
    certificates.AddDomainsAsync([name], cancellationToken));
app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine("FleetApp: listening"));
app.Run();

static IssuanceSettings Settings(IConfiguration configuration)
{
    var settings = new IssuanceSettings();
    return settings with
    {
        FirstClient = TimeSpan.Zero,
        LeaseDuration = Seconds("LEASE_SECONDS", settings.LeaseDuration),
        StoreTime = Seconds("STORE_SECONDS", settings.StoreTime),
        StoreRetry = Seconds("STORE_RETRY_SECONDS", settings.StoreRetry),
        LoadTime = Seconds("LOAD_SECONDS", settings.LoadTime),
        SteadyAfter = Seconds("STEADY_SECONDS", settings.SteadyAfter),
        SaveAgain = Seconds("SAVE_AGAIN_SECONDS", settings.SaveAgain),
        Retries = settings.Retries with
        {
            Local = Seconds("LOCAL_RETRY_SECONDS", settings.Retries.Local),
            Name = [Seconds("NAME_RETRY_SECONDS", settings.Retries.Name[0]), .. settings.Retries.Name.Skip(1)],
        },
        OrderTurn = Seconds("TURN_SECONDS", settings.OrderTurn),
        RepostAfter = Seconds("REPOST_SECONDS", settings.RepostAfter),
    };

    TimeSpan Seconds(string key, TimeSpan standard)
        => configuration[key] is { Length: > 0 } text ? TimeSpan.FromSeconds(double.Parse(text, CultureInfo.InvariantCulture)) : standard;
}
