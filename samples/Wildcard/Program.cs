using KestrelAcme.Configuration;
using KestrelAcme.Hosting;
using KestrelAcme.LocalAuthority;
using Wildcard;

var builder = WebApplication.CreateBuilder(args);

// A name server in this process stands for the one at your DNS provider.
using var dns = new ZoneServer("wildcard.localhost");
dns.Start();

// The authority of this machine looks for the record there; a public one would find it by way of the zone's NS records.
var authority = builder.Services.AddLocalAcmeAuthority(options =>
{
    options.Folder = Path.Combine(builder.Environment.ContentRootPath, ".kestrel-acme", "authority");
    options.TxtLookup = (name, _) => Task.FromResult(dns.Zone.TextsOf(name));
});
builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
{
    ["AcmeHttps:DirectoryUrl"] = authority.DirectoryUrl.ToString(),
    ["AcmeHttps:TrustedRootsPath"] = authority.RootPemPath,
    ["AcmeHttps:DnsResolvers:0"] = dns.EndPoint.ToString(),
});

// With a provider that is built in, a section of appsettings.json does instead:
//   "DnsProviders": [ { "Type": "Cloudflare", "ApiTokenFile": "/run/secrets/cloudflare" } ]
builder.Services.AddAcmeHttps().AddDnsProvider("Zone", _ => new ZoneProvider(dns.Zone), options =>
{
    options.Zones.Add(dns.Zone.Apex);

    // The zone's server has a port of its own here, where NS records know of port 53 only.
    options.PropagationCheck = DnsPropagationCheck.Resolvers;
});

var app = builder.Build();
app.MapGet("/", (HttpContext context) => $"Hello from {context.Request.Host.Host} over HTTPS\n");
await app.StartAsync();
await Welcome.PrintAsync(app, dns.Zone.Apex, authority.RootPemPath);
await app.WaitForShutdownAsync();
