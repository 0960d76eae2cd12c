using KestrelAcme.Configuration;
using KestrelAcme.LocalAuthority;
using Wildcard;

var builder = WebApplication.CreateBuilder(args);

// A name server in this process plays the role of your DNS provider.
using var dns = new ZoneServer("wildcard.localhost");
dns.Start();

// The local ACME authority queries this name server for the record. A public CA would find the server through the zone's NS records.
var authority = builder.Services.AddLocalAcmeAuthority(options =>
{
    options.Folder = Path.Combine(builder.Environment.ContentRootPath, ".kestrel-acme", "authority");
    options.TxtLookup = (name, _) => Task.FromResult(dns.Zone.TextsOf(name));
});
var https = builder.Services.AddAcmeHttps(options =>
{
    options.DirectoryUrl = authority.DirectoryUrl.ToString();
    options.TrustedRootsPath = authority.RootPemPath;
    options.DnsResolvers = [dns.EndPoint.ToString()];
});

// With a built-in provider, you need only a section in appsettings.json:
//   "DnsProviders": [ { "Type": "Cloudflare", "ApiTokenFile": "/run/secrets/cloudflare" } ]
https.AddDnsProvider("Zone", _ => new ZoneProvider(dns.Zone), options =>
{
    options.Zones.Add(dns.Zone.Apex);

    // The name server does not use port 53 here, and NS records cannot express other ports.
    options.PropagationCheck = DnsPropagationCheck.Resolvers;
});

var app = builder.Build();
app.MapGet("/", (HttpContext context) => $"Hello from {context.Request.Host.Host} over HTTPS\n");
await app.StartAsync();
await Welcome.PrintAsync(app, dns.Zone.Apex, authority.RootPemPath);
await app.WaitForShutdownAsync();
