using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Hosting;

/// <summary>The builder that <c>AddAcmeHttps</c> returns.</summary>
internal sealed record AcmeHttpsBuilder(IServiceCollection Services) : IAcmeHttpsBuilder;
