/// A place where customers live: it belongs to one country and has one offset from UTC.
struct City: Equatable, Sendable {
  let name: String
  let country: String
  /// Quarter-hours east of UTC.
  let offsetQuarters: Int
  /// The share of all customers, as a relative weight.
  let weight: UInt64
  /// The index of the country in ``World/countries``.
  let countryIndex: Int
}

/// Where the shop's customers live.
package struct World: Equatable, Sendable {
  package let countries: [String]
  /// Every city, grouped by country.
  let cities: [City]
  /// The cities of each country, as ranges of indices into ``cities``.
  let citiesOfCountry: [Range<Int>]

  /// - Parameter cities: those of a country side by side, the countries in the order of their indices.
  init(cities: [City]) {
    self.cities = cities
    var countries: [String] = []
    var ranges: [Range<Int>] = []
    for (index, city) in cities.enumerated() {
      if city.countryIndex == countries.count {
        countries.append(city.country)
        ranges.append(index..<index)
      }
      ranges[city.countryIndex] = ranges[city.countryIndex].lowerBound..<index + 1
    }
    self.countries = countries
    citiesOfCountry = ranges
  }

  /// The places of the invented shop. Countries are weighted by their flattened share of online sales, and cities by
  /// their inhabitants within the country. Offsets are standard time all year, without daylight saving.
  package static let standard: World = {
    var cities: [City] = []
    for (index, country) in table.enumerated() {
      let inhabitants = country.cities.reduce(0) { $0 + $1.tenths }
      for city in country.cities {
        let weight = country.weight * 1_000_000 * city.tenths / inhabitants
        cities.append(
          City(
            name: city.name, country: country.name, offsetQuarters: city.offset,
            weight: UInt64(weight), countryIndex: index))
      }
    }
    return World(cities: cities)
  }()

  private struct Country {
    let name: String
    let weight: Int
    let cities: [(name: String, tenths: Int, offset: Int)]

    /// `hours` is the offset east of UTC, for every city without its own.
    init(_ name: String, _ weight: Int, _ hours: Double, _ cities: [(String, Int, Double?)]) {
      self.name = name
      self.weight = weight
      self.cities = cities.map { ($0.0, $0.1, Int(($0.2 ?? hours) * 4)) }
    }
  }

  private static let table: [Country] = [
    Country(
      "United States", 240, -5,
      [
        ("New York", 190, nil), ("Los Angeles", 125, -8), ("Chicago", 89, -6), ("Houston", 68, -6),
        ("Dallas", 66, -6), ("Miami", 63, nil), ("Atlanta", 61, nil), ("Philadelphia", 58, nil),
        ("Phoenix", 48, -7), ("Seattle", 35, -8),
      ]),
    Country(
      "China", 130, 8,
      [
        ("Shanghai", 299, nil), ("Beijing", 222, nil), ("Chongqing", 178, nil),
        ("Guangzhou", 146, nil), ("Shenzhen", 133, nil), ("Chengdu", 98, nil),
      ]),
    Country(
      "India", 80, 5.5,
      [
        ("Delhi", 338, nil), ("Mumbai", 217, nil), ("Kolkata", 156, nil), ("Bengaluru", 140, nil),
        ("Chennai", 121, nil), ("Hyderabad", 111, nil),
      ]),
    Country(
      "Japan", 60, 9,
      [("Tokyo", 371, nil), ("Osaka", 190, nil), ("Nagoya", 96, nil), ("Fukuoka", 55, nil)]),
    Country(
      "United Kingdom", 60, 0,
      [
        ("London", 97, nil), ("Manchester", 28, nil), ("Birmingham", 27, nil), ("Leeds", 19, nil),
        ("Glasgow", 17, nil),
      ]),
    Country(
      "Germany", 50, 1,
      [
        ("Berlin", 36, nil), ("Hamburg", 18, nil), ("Munich", 16, nil), ("Cologne", 11, nil),
        ("Frankfurt", 8, nil),
      ]),
    Country("South Korea", 40, 9, [("Seoul", 100, nil), ("Busan", 35, nil), ("Incheon", 29, nil)]),
    Country(
      "France", 40, 1,
      [("Paris", 113, nil), ("Lyon", 18, nil), ("Marseille", 16, nil), ("Toulouse", 11, nil)]),
    Country(
      "Canada", 40, -5, [("Toronto", 64, nil), ("Montreal", 43, nil), ("Vancouver", 27, -8)]),
    Country(
      "Brazil", 40, -3,
      [
        ("São Paulo", 228, nil), ("Rio de Janeiro", 138, nil), ("Belo Horizonte", 63, nil),
        ("Brasília", 49, nil),
      ]),
    Country(
      "Indonesia", 30, 7, [("Jakarta", 114, nil), ("Surabaya", 30, nil), ("Bandung", 27, nil)]),
    Country(
      "Mexico", 30, -6,
      [("Mexico City", 225, nil), ("Guadalajara", 55, nil), ("Monterrey", 52, nil)]),
    Country(
      "Australia", 25, 10,
      [("Melbourne", 53, nil), ("Sydney", 52, nil), ("Brisbane", 25, nil), ("Perth", 21, 8)]),
    Country("Spain", 20, 1, [("Madrid", 68, nil), ("Barcelona", 57, nil), ("Valencia", 8, nil)]),
    Country("Italy", 20, 1, [("Rome", 43, nil), ("Milan", 32, nil), ("Naples", 22, nil)]),
    Country("Netherlands", 15, 1, [("Amsterdam", 12, nil), ("Rotterdam", 10, nil)]),
    Country("Poland", 12, 1, [("Warsaw", 18, nil), ("Kraków", 8, nil)]),
    Country("Turkey", 12, 3, [("Istanbul", 160, nil), ("Ankara", 55, nil)]),
    Country("Sweden", 8, 1, [("Stockholm", 17, nil), ("Gothenburg", 6, nil)]),
    Country("Switzerland", 8, 1, [("Zurich", 14, nil)]),
    Country("Belgium", 7, 1, [("Brussels", 21, nil)]),
    Country("Vietnam", 7, 7, [("Ho Chi Minh City", 96, nil), ("Hanoi", 54, nil)]),
    Country("Thailand", 7, 7, [("Bangkok", 112, nil)]),
    Country("Philippines", 7, 8, [("Manila", 149, nil)]),
    Country("Malaysia", 7, 8, [("Kuala Lumpur", 88, nil)]),
    Country("Argentina", 6, -3, [("Buenos Aires", 156, nil), ("Córdoba", 16, nil)]),
    Country("Nigeria", 6, 1, [("Lagos", 165, nil)]),
    Country("United Arab Emirates", 6, 4, [("Dubai", 31, nil)]),
    Country("Saudi Arabia", 6, 3, [("Riyadh", 78, nil)]),
    Country("Pakistan", 6, 5, [("Karachi", 176, nil), ("Lahore", 144, nil)]),
    Country("Singapore", 6, 8, [("Singapore", 61, nil)]),
    Country("Austria", 6, 1, [("Vienna", 20, nil)]),
    Country("Denmark", 6, 1, [("Copenhagen", 14, nil)]),
    Country("Norway", 6, 1, [("Oslo", 11, nil)]),
    Country("Colombia", 5, -5, [("Bogotá", 117, nil)]),
    Country("South Africa", 5, 2, [("Johannesburg", 63, nil), ("Cape Town", 50, nil)]),
    Country("Egypt", 5, 2, [("Cairo", 226, nil)]),
    Country("Bangladesh", 5, 6, [("Dhaka", 239, nil)]),
    Country("Ireland", 5, 0, [("Dublin", 13, nil)]),
    Country("Portugal", 5, 0, [("Lisbon", 30, nil)]),
    Country("Chile", 4, -4, [("Santiago", 70, nil)]),
    Country("New Zealand", 4, 12, [("Auckland", 17, nil)]),
  ]
}
